package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

const bodyLimit = 64 << 10

// answered is one request that is over: seconds of this program at which it was sent and was over, and who answered.
type answered struct {
	Sent     float64 `json:"sent"`
	Over     float64 `json:"over"`
	OK       bool    `json:"ok"`
	Instance string  `json:"instance"`
	Version  string  `json:"version"`
}

// ended is the last line: without it, or with fewer lines before it, some were lost on their way.
type ended struct {
	Requests int `json:"requests"`
}

// client opens a new connection for each request, as a new user would: only then a Service chooses anew.
func client(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial looks a name up for this connection alone: with one resolver for all, a lookup that gets no answer would hold up
// every request after it, until long after the name is there again.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Resolver: &net.Resolver{PreferGo: true}}
	return dialer.DialContext(ctx, network, address)
}

// probe sends a request each interval, whether the last answer has come or not, until it is told to stop; it ends with
// the last request that is under way.
func probe(target, interval, timeout string) error {
	pace, err := time.ParseDuration(interval)
	patience, wrong := time.ParseDuration(timeout)
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	p := &prober{url: "http://" + target, client: client(patience), began: time.Now(), out: json.NewEncoder(os.Stdout)}
	p.untilStopped(pace)
	return p.out.Encode(ended{p.lines})
}

type prober struct {
	url     string
	client  *http.Client
	began   time.Time
	writing sync.Mutex
	out     *json.Encoder
	lines   int
}

func (p *prober) untilStopped(interval time.Duration) {
	var underWay sync.WaitGroup
	defer underWay.Wait()
	stop := stopped()
	due := time.Now()
	for {
		underWay.Add(1)
		go func() {
			defer underWay.Done()
			p.tell(p.ask())
		}()
		// Where this program was held up, what was missed is not made up for.
		if due = due.Add(interval); due.Before(time.Now()) {
			due = time.Now()
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Until(due)):
		}
	}
}

func (p *prober) ask() answered {
	found := answered{Sent: p.seconds()}
	response, err := p.client.Get(p.url)
	if err == nil {
		defer response.Body.Close()
		var body []byte
		body, err = io.ReadAll(io.LimitReader(response.Body, bodyLimit))
		found.OK = err == nil && response.StatusCode == http.StatusOK
		if found.OK {
			fmt.Sscanf(string(body), "instance %s version %s", &found.Instance, &found.Version)
		}
	}
	found.Over = p.seconds()
	return found
}

func (p *prober) seconds() float64 {
	return time.Since(p.began).Seconds()
}

func (p *prober) tell(found answered) {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.out.Encode(found) == nil {
		p.lines++
	}
}

// send sends one request, and writes the status and then the body of its answer.
func send(method, address, timeout, body string) error {
	patience, err := time.ParseDuration(timeout)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, "http://"+address, strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client(patience).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	fmt.Printf("%d\n%s", response.StatusCode, said)
	return err
}
