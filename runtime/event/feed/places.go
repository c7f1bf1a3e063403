package feed

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/runtime/event/protocol"
)

// places is how far a subscription has come with each of its topics: all events of the topic
// up to there are handled. They differ while the programs that share a subscription have
// handlers for different topics, such as two versions of one program.
//
// A cursor keeps the least of them as its position, and the others beside the topics' names:
// "article:60,visitor," is a cursor that is further with article.
type places map[string]int64

// parsePlaces reads the topics of a cursor.
func parsePlaces(topics string, position int64) (places, error) {
	p := places{}
	for name, place := range eachTopic(topics) {
		p[name] = position
		if place == "" {
			continue
		}
		n, err := strconv.ParseInt(place, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("event: the topics of a cursor are %q", topics)
		}
		p[name] = n
	}
	return p, nil
}

// eachTopic yields the names of a cursor's topics, each with its place if it has one.
func eachTopic(topics string) func(yield func(name, place string) bool) {
	return func(yield func(name, place string) bool) {
		for topic := range strings.SplitSeq(topics, ",") {
			if topic == "" {
				continue
			}
			if name, place, _ := strings.Cut(topic, ":"); !yield(name, place) {
				return
			}
		}
	}
}

// least returns the least place of some topics.
func (p places) least(topics []string) int64 {
	least := p[topics[0]]
	for _, t := range topics {
		least = min(least, p[t])
	}
	return least
}

// stored returns the places as a cursor keeps them.
func (p places) stored() (topics string, position int64) {
	all := slices.Sorted(maps.Keys(p))
	position = p.least(all)
	return p.beyond(position), position
}

// beyond returns the topics of a cursor that has a position.
func (p places) beyond(position int64) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p)) {
		b.WriteString(name)
		if p[name] != position {
			fmt.Fprintf(&b, ":%d", p[name])
		}
		b.WriteByte(',')
	}
	return b.String()
}

// fit reports whether a cursor has room for them, whatever the places are.
func (p places) fit() bool {
	length := 0
	for name := range p {
		length += len(name) + len(":9223372036854775807,")
	}
	return length <= protocol.MaxTopics
}
