package sqltext

import (
	"math"
	"math/bits"
)

// SQLite takes a list as one JSON array, of which json_each makes rows. These are the values of
// the rows where value itself is not: bytes are listed in hexadecimal digits, and floats by their
// parts, as FloatParts returns them. A float that is written in decimal digits is not always read
// as the same one.
const (
	JSONBytes = "unhex(value)"
	JSONFloat = "(value ->> 0) * pow(2.0, value ->> 1)"
)

// FloatParts returns two whole numbers, m and e, with f = m * 2^e. f is finite. Both 2^e and the
// product are floats, so that they are computed without rounding.
func FloatParts(f float64) [2]int64 {
	const digits = 53 // of a float's fraction, in binary
	fraction, e := math.Frexp(f)
	m := int64(fraction * (1 << digits))
	if m == 0 {
		return [2]int64{}
	}
	zeros := bits.TrailingZeros64(uint64(m))
	return [2]int64{m >> zeros, int64(e - digits + zeros)}
}
