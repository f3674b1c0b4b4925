# What holds a pod's network while nothing else of it runs; it does nothing, and listens nowhere.
FROM scratch
COPY web /web
USER 65532:65532
ENTRYPOINT ["/web", "pause"]
