// Command web is the tiny app that every demo runs: it says who answers, and breaks when it is told to.
//
//	web                                          serve on port 8080
//	web health                                   ask the server here whether it lives; exit 1 if not (there is no curl)
//	web pause                                    do nothing until stopped (a pod's pause container)
//	web send METHOD HOST:PORT/PATH TIMEOUT BODY  ask an app once, and write the status and the body of its answer
//	web probe HOST:PORT/PATH INTERVAL TIMEOUT    ask it at a steady pace until stopped, and write a line for each answer
package main

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	port        = "8080"
	noteLimit   = 4 << 10
	burnLimit   = 10 * time.Second
	chunk       = 1 << 20
	crashDelay  = 5 * time.Millisecond
	fetchLimit  = time.Second
	healthLimit = time.Second
)

// app is one instance: what it calls itself, and whether it hangs. One that is out says so until it is told otherwise.
type app struct {
	name, version, colour, data string
	ready                       bool
	hung, out                   atomic.Bool
	never                       chan struct{}
}

func main() {
	words := os.Args[1:]
	is := func(command string, arguments int) bool { return len(words) == 1+arguments && words[0] == command }
	switch {
	case len(words) == 0:
		fail(serve())
	case is("health", 0):
		fail(health())
	case is("pause", 0):
		<-stopped()
	case is("probe", 3):
		fail(probe(words[1], words[2], words[3]))
	case is("send", 4):
		fail(send(words[1], words[2], words[3], words[4]))
	default:
		fail(fmt.Errorf("%q is no command of web", words))
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

func serve() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	a := &app{
		name:    setting("NAME", name),
		version: setting("VERSION", "1"),
		colour:  setting("COLOUR", "#0A6B61"),
		data:    setting("DATA", "/data"),
		ready:   setting("READY", "yes") != "never",
		never:   make(chan struct{}),
	}
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second}
	go stopOnSignal()
	return server.Serve(&silent{listener, a})
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// stopOnSignal: process 1 of a container gets no default action for a signal, so a stop must be asked for.
func stopOnSignal() {
	<-stopped()
	os.Exit(0)
}

func stopped() <-chan os.Signal {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	return stop
}

func health() error {
	response, err := client(healthLimit).Get("http://127.0.0.1:" + port + "/healthz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

func (a *app) handler() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", a.home)
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	routes.HandleFunc("GET /readyz", a.readyz)
	routes.HandleFunc("POST /fault/crash", a.crash)
	routes.HandleFunc("POST /fault/hang", a.hang)
	routes.HandleFunc("POST /fault/leak", a.leak)
	routes.HandleFunc("POST /fault/unready", func(w http.ResponseWriter, _ *http.Request) { a.out.Store(true); accept(w) })
	routes.HandleFunc("POST /fault/ready", func(w http.ResponseWriter, _ *http.Request) { a.out.Store(false); accept(w) })
	routes.HandleFunc("GET /burn", burn)
	routes.HandleFunc("GET /fetch", fetch)
	routes.HandleFunc("GET /data", a.readNote)
	routes.HandleFunc("PUT /data", a.writeNote)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.hung.Load() {
			<-a.never
		}
		routes.ServeHTTP(w, r)
	})
}

// silent is a listener that takes no new connection once the app hangs: clients connect to the kernel and wait.
type silent struct {
	net.Listener
	app *app
}

func (s *silent) Accept() (net.Conn, error) {
	connection, err := s.Listener.Accept()
	if s.app.hung.Load() {
		<-s.app.never
	}
	return connection, err
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	if a.out.Load() {
		http.Error(w, fmt.Sprintf("instance %s version %s is not ready", a.name, a.version), http.StatusServiceUnavailable)
		return
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		fmt.Fprintf(w, "instance %s version %s\n", a.name, a.version)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, page, html.EscapeString(a.colour), html.EscapeString(a.name), html.EscapeString(a.version))
}

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>web</title>
<style>body{margin:0;min-height:100vh;display:grid;place-items:center;background:%s;color:#fff;font:24px system-ui}</style>
<main>instance <b>%s</b><br>version <b>%s</b></main></html>
`

func (a *app) readyz(w http.ResponseWriter, _ *http.Request) {
	if !a.ready {
		http.Error(w, "not ready, and never will be", http.StatusServiceUnavailable)
		return
	}
	if a.out.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// crash leaves the answer a moment to get out.
func (a *app) crash(w http.ResponseWriter, _ *http.Request) {
	accept(w)
	time.AfterFunc(crashDelay, func() { os.Exit(1) })
}

func (a *app) hang(w http.ResponseWriter, _ *http.Request) {
	accept(w)
	a.hung.Store(true)
}

// leak touches what it takes: memory that was never written costs nothing and meets no limit.
func (a *app) leak(w http.ResponseWriter, _ *http.Request) {
	accept(w)
	go func() {
		var kept [][]byte
		for {
			block := make([]byte, chunk)
			for i := range block {
				block[i] = 1
			}
			kept = append(kept, block)
		}
	}()
}

// accept sends the whole answer at once, before the fault can get in its way.
func accept(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
}

func burn(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 0 {
		http.Error(w, "burn takes ms, a number of milliseconds", http.StatusBadRequest)
		return
	}
	end := time.Now().Add(min(time.Duration(ms)*time.Millisecond, burnLimit))
	rounds := 0
	for time.Now().Before(end) {
		rounds++
	}
	fmt.Fprintf(w, "burnt %d ms in %d rounds\n", ms, rounds)
}

// serviceName has no dot, so that the name is one of this namespace, and neither an address nor a name elsewhere.
var serviceName = regexp.MustCompile("^[a-z0-9-]{1,40}$")

var fetcher = client(fetchLimit)

// fetch asks a Service by its name and passes on what it says.
func fetch(w http.ResponseWriter, r *http.Request) {
	service := r.URL.Query().Get("service")
	if !serviceName.MatchString(service) {
		http.Error(w, "fetch takes service, the name of a Service of this namespace", http.StatusBadRequest)
		return
	}
	response, err := fetcher.Get("http://" + service + ":" + port + "/")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	w.WriteHeader(response.StatusCode)
	io.Copy(w, io.LimitReader(response.Body, noteLimit))
}

func (a *app) readNote(w http.ResponseWriter, _ *http.Request) {
	note, err := os.ReadFile(filepath.Join(a.data, "note"))
	if err != nil {
		http.Error(w, "no note here", http.StatusNotFound)
		return
	}
	w.Write(note)
}

func (a *app) writeNote(w http.ResponseWriter, r *http.Request) {
	note, err := io.ReadAll(http.MaxBytesReader(w, r.Body, noteLimit))
	if err != nil {
		http.Error(w, "a note has at most 4 KiB", http.StatusRequestEntityTooLarge)
		return
	}
	if err := os.WriteFile(filepath.Join(a.data, "note"), note, 0o644); err != nil {
		http.Error(w, "no volume to write on", http.StatusInsufficientStorage)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
