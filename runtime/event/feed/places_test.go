package feed

import (
	"maps"
	"strings"
	"testing"
)

// TestPlaces writes places as a cursor keeps them, and reads them again.
func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		places   places
		topics   string
		position int64
	}{
		{places{"article": 7}, "article,", 7},
		{places{"visitor": 7, "article": 7}, "article,visitor,", 7},
		{places{"visitor": 7, "article": 60}, "article:60,visitor,", 7},
		{places{"a": 0, "b": 1, "c": 0}, "a,b:1,c,", 0},
	} {
		topics, position := c.places.stored()
		if topics != c.topics || position != c.position {
			t.Errorf("%v is stored as %q at %d; want %q at %d", c.places, topics, position, c.topics, c.position)
		}
		if read, err := parsePlaces(topics, position); err != nil || !maps.Equal(read, c.places) {
			t.Errorf("%q at %d is %v, %v", topics, position, read, err)
		}
	}
	// A topic that was added while the cursor moved on keeps its own place.
	if read, err := parsePlaces("article,visitor:40,", 50); err != nil || !maps.Equal(read, places{"article": 50, "visitor": 40}) {
		t.Errorf("got %v, %v", read, err)
	}
	if _, err := parsePlaces("article:x,", 1); err == nil {
		t.Error("a place that is no number was read")
	}
	many := places{}
	for i := range 400 {
		many[strings.Repeat("x", 64)+string(rune('a'+i))] = 1
	}
	if many.fit() || !(places{"article": 1}).fit() {
		t.Error("the room for topics is counted wrongly")
	}
}
