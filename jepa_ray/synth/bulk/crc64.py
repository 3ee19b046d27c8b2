"""Put CRC-64/XZ checksums of neighbouring bytes together without the bytes.

A checksum is a remainder of polynomials over GF(2), so following it by n bytes multiplies it by
x^(8n). Bits are reflected: the highest bit of a number stands for x^0.

Source: zlib, `crc32_combine`; polynomial: ECMA-182.
"""

from jepa_ray.synth.bulk.piece import Checksum

_POLYNOMIAL = 0xC96C5795D7870F42
_ONE = 1 << 63
_X8 = 1 << 55


def combine(first: Checksum, second: Checksum) -> Checksum:
    """The checksum of the bytes of `first` and then those of `second`."""
    moved = _times(first.value, _power_of_x8(second.bytes))
    return Checksum(moved ^ second.value, first.bytes + second.bytes)


def _power_of_x8(exponent: int) -> int:
    result, base = _ONE, _X8
    while exponent:
        if exponent & 1:
            result = _times(result, base)
        base = _times(base, base)
        exponent >>= 1
    return result


def _times(a: int, b: int) -> int:
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = (a << 1) & (2 * _ONE - 1)
        b = (b >> 1) ^ (_POLYNOMIAL if b & 1 else 0)
    return product
