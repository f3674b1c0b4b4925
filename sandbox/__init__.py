"""Throwaway engines and the demos that run in them.

What other packages use; everything else is this package's own business:

    sandbox.events    the closed union `Event`; `Engine`, `Fault`. Every event that leaves `perform` has `t` and `run`.
    sandbox.engines   `Engines`, the seam to the pair of engines; `EngineConfig`, `EngineStatus`.
    sandbox.errors    `SandboxError` and its children: sentences fit for a learner.
    sandbox.demos     load_demos() -> dict[str, Demo]
    sandbox.demo      Demo(name, title, question, faults, run, settings, seconds, deadline, lesson)
                      choose(demos, name, fault, replicas) -> (Demo, Options); raises UnknownDemo, BadRequest
                      perform(demo, options, owner, open_sandbox) -> AsyncGenerator[Event, None]
    sandbox.lab       Lab(engines, pace=Pace()); `lab.open` is the `open_sandbox` of `perform`
    sandbox.pool      Pool(lab, size): `open` as a lab has it, from sandboxes that `keep` prepares until cancelled
    sandbox.reaper    async sweep(engines) -> Swept: what was removed ("container web-x", "namespace …") and missed
                      async remove_run(engines, run): the same for what one run has left, before its expiry
                      async patrol(engines, seconds=30): sweep now and again until cancelled
    sandbox.recording Recorder(folder, file=None): take(event), close() -> Path | None
    sandbox.replaying find(demos, name, fault) -> Path; read(path, demos) -> Recording; play(events, speed)
    sandbox.checking  check(lines) -> list[str]: what is wrong with the lines of a run
    sandbox.runs      to_json(event) -> dict; from_json(object) -> Event

`perform` waits for both engines, then yields `Started` first and `Result` last. What goes wrong ends the run and
stands in `Result.error`; it raises only what is a fault of our own, after the `Result`. Close it with `aclose()`
(`contextlib.aclosing`) to stop a run: the sandbox is removed before that returns. An `Observed` says who acted only
after its engine's `Injected`. In `Result.engines` an engine is missing where a run ended before it was measured.
`Cleanup.left` holds "run ID" where an engine could not be asked any more: the reaper removes that run at its expiry.
`Finding` sentences are made from measured values; `Demo.settings` holds for each setting of `Started.settings` that
the demo makes itself the value used and the engine's default.
"""
