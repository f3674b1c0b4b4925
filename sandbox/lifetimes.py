"""How long what a run makes may last, in seconds: one budget, of which each part leaves room for the next.

A run ends at its demo's deadline, its clean-up within the margin after that; then everything of it expires, and the
reaper takes what is left. A prepared sandbox has to outlast the longest demo that may take it.
"""

# A cluster of ours admits no namespace that expires later than that after its creation (`portside-bot-namespaces`).
MOST = 15 * 60.0
# No demo's deadline is later.
LONGEST_DEMO = 240.0
# Between the end of a run and its expiry.
MARGIN = 120.0
# A clean-up waits so long for its turn: whoever has stopped a demo shall see it go.
CLEANUP_TURN = 2.0
# The whole of a clean-up after its turn.
CLEANUP = MARGIN - CLEANUP_TURN - 1.0
# 5 s where nothing is wrong. After an API server was away its controllers look again after up to 30 s, or twice
# that by chance (client-go's reflector), and once more when the pods have gone: 69 s were seen.
NAMESPACE_GONE = CLEANUP - 7.0
# A prepared sandbox that nobody has taken for so long is made anew; a minute is left for the making.
PREPARED = MOST - LONGEST_DEMO - MARGIN - 60.0
