"""A demo as a shell listing: what a learner would type, step by step, on each side. Nothing is run for it."""

from collections.abc import Iterable, Mapping

from sandbox.demo import Demo, Options
from sandbox.events import NAMES, Engine
from sandbox.plan import Plan, Step
from sandbox.takehome import manifests

CLEAN_UP = "Clean up."
_END = "END"


def listing(demo: Demo, options: Options) -> str:
    """Return the whole listing, to be read, pasted or run."""
    return "\n\n".join([header(demo, options), *sections(demo, options).values()])


def header(demo: Demo, options: Options) -> str:
    """Return what to know before typing."""
    fault = f", fault {options.fault}" if options.fault else ""
    return "\n".join(
        (
            f"# {demo.name}{fault}: {demo.question}",
            "# The engines of Portside's own have the image. Any others get it as sandbox/image/Dockerfile says.",
            '# To type at those: export KUBECONFIG="$(portside engines kubeconfig)", and DOCKER_HOST as it is told by',
            "# portside engines status. Addresses of containers and pods are reached on the engines' own machine.",
        )
    )


def sections(demo: Demo, options: Options) -> Mapping[Engine, str]:
    """Return the steps of each side, from nothing to nothing left."""
    plan = demo.plan(options)
    steps = {
        Engine.DOCKER: (*plan.docker, _docker_clean_up(plan)),
        Engine.KUBERNETES: (_written(demo, plan), *plan.kubernetes, _kubernetes_clean_up(demo, plan)),
    }
    return {engine: "\n\n".join(_section(engine, told)) for engine, told in steps.items()}


def _section(engine: Engine, steps: Iterable[Step]) -> Iterable[str]:
    yield f"# ---- {NAMES[engine]} ----"
    for number, step in enumerate(steps, 1):
        yield "\n".join((f"# {number}. {step.text}", *step.lines))


def _written(demo: Demo, plan: Plan) -> Step:
    """A folder of the demo's own: a file of the learner's with that name is left alone."""
    folder = _folder(demo)
    written = (f"cat > {name} <<'{_END}'\n{text}{_END}" for name, text in manifests(plan).items())
    return Step(
        "Write what is to be declared, in a folder of its own.", (f"mkdir -p {folder} && cd {folder}", *written)
    )


def _docker_clean_up(plan: Plan) -> Step:
    names = " ".join(dict.fromkeys(container.name for container in plan.containers))
    volumes = " ".join(dict.fromkeys(container.volume for container in plan.containers if container.volume))
    return Step(CLEAN_UP, (f"docker rm -f {names}", *([f"docker volume rm {volumes}"] if volumes else ())))


def _kubernetes_clean_up(demo: Demo, plan: Plan) -> Step:
    """A file may name what its engine refused."""
    names, folder = list(manifests(plan)), _folder(demo)
    delete = " ".join(("kubectl delete --ignore-not-found", *(f"-f {name}" for name in names)))
    return Step(CLEAN_UP, (delete, f"rm {' '.join(names)} && cd .. && rmdir {folder}"))


def _folder(demo: Demo) -> str:
    return f"portside-{demo.name}"
