"""Words that carry no meaning in a question, the two sides of every comparison, and the short forms of learners."""

SIDES = ("docker", "kubernetes")

# What people say to each other and not about anything.
CIVIL = frozenset("bye cheers cool great hello hey hi lot much nice ok okay perfect thank thanks thx very you".split())  # noqa: SIM905

STOPWORDS = frozenset(
    """
    a about actually after again all also am an and another any anyone anything are as at be because been before
    being but by can cannot cant could did didnt do does doesnt doing done dont each either else even ever every
    everything explain few find for from get gets getting give given go goes going gonna good got had has hasnt
    have having he hello help her here hey hi his how however i if im in instead into is isnt it its itself ive
    just keep kind know learn let lets like lot lots make makes man many may maybe me mean means might more most
    much must my myself need needs never no nor not now of off ok okay on once one only or other our out over own
    people please pls quite rather really right said same say see seem shall she should show since so some somehow
    someone something sort still stuff such sure take tell than thank thanks that thats the their them then there
    theres these they thing things think this those though through to together too try trying u um understand
    until up upon us use used using very via wanna want wants was wasnt way we well were what whats when where
    wheres whether which while who whom whose why will with within without wont word words would wouldnt yes yet
    you your youre meaning meant define definition describe
    """.split()  # noqa: SIM905 - words read better as words than as quoted ones
)

ABBREVIATIONS: dict[str, tuple[str, ...]] = {
    "k8s": ("kubernetes",),
    "k8": ("kubernetes",),
    "kube": ("kubernetes",),
    "hpa": ("horizontal", "pod", "autoscaler"),
    "pv": ("persistent", "volume"),
    "pvc": ("persistent", "volume", "claim"),
    "pvcs": ("persistent", "volume", "claim"),
    "sts": ("statefulset",),
    "rs": ("replicaset",),
    "svc": ("service",),
    "cm": ("configmap",),
    "ns": ("namespace",),
    "lb": ("load", "balancer"),
    "oom": ("oomkilled",),
    "ha": ("high", "availability"),
    "vm": ("virtual", "machine"),
    "vms": ("virtual", "machine"),
    "env": ("environment",),
    "repo": ("repository",),
    "db": ("database",),
    "yml": ("yaml",),
    "master": ("control", "plane"),
    "worker": ("node",),
    "workers": ("nodes",),
    "deploy": ("deployment",),
}
