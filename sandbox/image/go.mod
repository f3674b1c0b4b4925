module portside.dev/web

go 1.26
