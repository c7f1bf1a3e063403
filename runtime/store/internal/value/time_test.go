package value

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTimeText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	last := ""
	for _, at := range []int64{0, 1, -1, 1709210096123456, -59000000000000000} {
		for range 200 {
			want := time.UnixMicro(at + r.Int64N(1e15)).UTC()
			text := FormatTime(want)
			got, err := ParseTime(text)
			if err != nil || !got.Equal(want) || got.Location() != time.UTC || len(text) != len(TimeLayout) {
				t.Fatalf("%s became %q and %s (%v)", want, text, got, err)
			}
			if text != want.Format(TimeLayout) {
				t.Fatalf("%q, not %q", text, want.Format(TimeLayout))
			}
		}
	}
	for micro := range int64(3) {
		text := FormatTime(time.UnixMicro(999_999_999 + micro))
		if text <= last {
			t.Errorf("%q sorts before %q", text, last)
		}
		last = text
	}
	for text, want := range map[string]string{
		"2024-02-29 12:00:00":               "2024-02-29T12:00:00.000000Z",
		"2024-02-29T14:00:00.1234567+02:00": "2024-02-29T12:00:00.123456Z",
		"2024-02-29":                        "2024-02-29T00:00:00.000000Z",
	} {
		if got, err := ParseTime(text); err != nil || FormatTime(got) != want {
			t.Errorf("%q is %s, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "yesterday", "2023-02-29T00:00:00.000000Z", "2024-13-01T00:00:00.000000Z", "2024-01-01T24:00:00.000000Z"} {
		if got, err := ParseTime(bad); err == nil {
			t.Errorf("%q is taken for %s", bad, got)
		}
	}
}
