"""Whether windows are those that a checkpoint was trained on."""

from collections.abc import Iterator, Mapping


def not_as_trained(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """A warning for each dataset that a checkpoint does not know in this form.

    Args:
        then: Fingerprints of the datasets of the training.
        now: Of those that are asked about.
    """
    for name, fingerprint in now.items():
        if name not in then:
            yield f"{name} was not trained on"
        elif then[name] != fingerprint:
            yield (
                f"{name} was prepared anew since the training (fingerprint {fingerprint}, then "
                f"{then[name]}): held-out windows may have been trained on"
            )
