"""How much a sandbox may take: the limits of one copy, and of a whole namespace. Equal on both sides."""

PORT = 8080
DATA = "/data"
USER = 65532
MEMORY_MIB = 64
CPUS = 0.25
PIDS = 64
TMP_MIB = 8
RESTARTS = 5
CLAIM = "8Mi"

REQUESTS = {"cpu": "10m", "memory": "16Mi"}

NAMESPACE = {
    "pods": "12",
    "requests.cpu": "1",
    "limits.cpu": "2",
    "requests.memory": "512Mi",
    "limits.memory": "1Gi",
    "requests.storage": "128Mi",
    "persistentvolumeclaims": "2",
    "services": "3",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
    "count/deployments.apps": "3",
    "count/replicasets.apps": "8",
    "count/secrets": "2",
    "count/configmaps": "3",
    "count/jobs.batch": "2",
    "count/horizontalpodautoscalers.autoscaling": "1",
}

CONTAINER_RANGE = {
    "type": "Container",
    "default": {"cpu": "100m", "memory": "64Mi"},
    "defaultRequest": {"cpu": "10m", "memory": "16Mi"},
    "max": {"cpu": "500m", "memory": "128Mi"},
    "min": {"cpu": "5m", "memory": "8Mi"},
}
