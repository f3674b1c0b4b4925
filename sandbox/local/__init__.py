"""An engine where there is none: dockerd, and Kubernetes as one binary, in a box of Linux namespaces."""
