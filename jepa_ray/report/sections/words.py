"""What each status of an evaluation means to one who decides, and what to do next.

A status has several causes (evaluate/verdict.py); what is said here is true of all of them, and the
line below it, in numbers, names the one.
"""

from typing import Final, NamedTuple


class Said(NamedTuple):
    """A verdict in plain words.

    Attributes:
        light: red, amber, green or grey.
        word: What it comes to.
        meaning: A paragraph.
        advice: What to do next.
    """

    light: str
    word: str
    meaning: str
    advice: str


COLLAPSED: Final = Said(
    "red",
    "Collapsed",
    "The model gives nearly the same embedding for every window, or uses few of its directions. "
    "However low the loss is, it proves nothing: these embeddings hardly tell windows apart.",
    "Do not use these embeddings. Train again with --preset robust, best on windows of an actor's "
    "day.",
)
NOT_LEARNED: Final = Said(
    "red",
    "Not learned",
    "The loss of the trained model is not below that of one that was never trained.",
    "Do not use it. Check the data and the settings (steps, learning rate), then train again.",
)
NO_SKILL: Final = Said(
    "red",
    "No skill",
    "It is not shown that the predictions follow from what is visible of a day: they are not "
    "surely better than one constant for each slot (on the whole, within most datasets, or from "
    "seed to seed), or as good with the context of another day. The line below says which.",
    "Do not use it for prediction. What helps: windows of an actor's day, --preset robust, more "
    "steps, more seeds where only they disagree.",
)
UNTOUCHED: Final = Said(
    "amber",
    "Unchanged",
    "The predictions improved, but the embeddings say what those of an untrained model say: only "
    "the predictor learned.",
    "Expect no more of these embeddings than of an untrained encoder. Train longer, with --preset "
    "robust.",
)
TRIVIAL: Final = Said(
    "amber",
    "Trivial",
    "The model predicts, but not surely better than a simple rule for the same targets: the task "
    "is too easy, or the model learned no more than that rule.",
    "Do not use its predictions; the probes say whether the embeddings are good for anything.",
)
UNDECIDED: Final = Said(
    "amber",
    "Undecided",
    "The numbers cannot tell a good model from a bad one: the scored windows are all alike or of "
    "too few people, or the model also finds skill where there is none. The line below says which.",
    "Score it on more, and on more varied, held-out windows; where it finds skill in white noise, "
    "train it again with --preset robust.",
)
NOT_JUDGED: Final = Said(
    "grey",
    "Not judged yet",
    "The model was trained, but nobody has measured yet what it learned. A falling loss alone says "
    "little.",
    "Run the evaluation, then make this report again.",
)
NOTHING_YET: Final = Said(
    "grey",
    "Nothing to judge yet",
    "No pass of this run is finished.",
    "Let the run finish: the same jepa-ray confirm command goes on with it.",
)
BY_STATUS: Final = {
    "collapsed": COLLAPSED,
    "not_learned": NOT_LEARNED,
    "no_skill": NO_SKILL,
    "untouched": UNTOUCHED,
    "trivial": TRIVIAL,
    "undecided": UNDECIDED,
}
LEARNED: Final = (
    "The model predicts hidden parts of a day better than one constant for each slot, and its "
    "embeddings did not collapse."
)


WAYS: Final = "the untrained encoder, PCA-64 and a linear model on the raw window"
"""What a task is won against (the probes say so)."""


def in_some_passes(learned: int, count: int) -> Said:
    """Learned in more than half of the passes, not in all."""
    return Said(
        "amber",
        f"Learned in {learned} of {count} passes",
        f"In {learned} of {count} passes the model predicts hidden parts of a day better than one "
        "constant for each slot; in the others it does not, or its embeddings are no better than "
        "an untrained model's. What one training gives depends on the seed.",
        "Look at the passes that did not learn before you rely on a training of this recipe.",
    )


def control_failed(failed: int, count: int) -> Said:
    """Learned, but a negative control did not pass."""
    return Said(
        "amber",
        "Learned, with a doubt",
        f"{LEARNED} But {failed} of {count} negative controls failed: something scores well that "
        "should not.",
        "Look at the controls below before you rely on the numbers.",
    )


def unfinished(done: int, count: int) -> Said:
    """Learned so far."""
    return Said(
        "amber",
        "Promising, not confirmed",
        f"{LEARNED} So far {done} of {count} passes are finished.",
        "Let the run finish.",
    )


def beaten(rule: str) -> Said:
    """Learned, but a simple rule predicts better."""
    return Said(
        "amber",
        "Learned, but a simple rule is better",
        f"{LEARNED} But a simple rule ({rule}) predicts the same targets with a lower loss.",
        "Do not use its predictions; the probes say whether the embeddings are good for anything.",
    )


def use_not_tested() -> Said:
    """Learned, no probes."""
    return Said(
        "amber",
        "Learned, use not tested",
        f"{LEARNED} Whether its embeddings help with a task was not tested.",
        "Run the probes before you rely on the embeddings.",
    )


def no_use(tasks: int) -> Said:
    """Learned, no probe won."""
    return Said(
        "amber",
        "Learned, no use shown",
        f"{LEARNED} But on none of {tasks} tasks do its embeddings beat {WAYS}.",
        "Use the simpler ways for these tasks.",
    )


def useful(won: int, tasks: int) -> Said:
    """Learned, and probes won."""
    return Said(
        "green",
        "Learned and useful",
        f"{LEARNED} Its embeddings beat {WAYS} on {won} of {tasks} tasks.",
        "Use the embeddings for the tasks on which they win, unless boosted trees on the raw "
        "window do as well there: the table of tasks says so.",
    )
