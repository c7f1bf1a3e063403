package measure

import "slices"

// Sample measures one side once and returns its figure: seconds, microseconds, bytes.
type Sample func() (float64, error)

// Rounds is how often each side is measured. A peer that takes minutes may be
// measured less often than ours; the report has to say so.
type Rounds struct{ Ours, Peer int }

// Alternate measures both sides in turns and returns both medians. The side
// that goes first changes with every round, so neither always runs on what the
// other left in the caches.
func Alternate(rounds Rounds, ours, peer Sample) (ourMedian, peerMedian float64, err error) {
	var samples [2][]float64
	for round := range max(rounds.Ours, rounds.Peer) {
		for turn := range 2 {
			side := (round + turn) % 2
			sample, limit := ours, rounds.Ours
			if side == 1 {
				sample, limit = peer, rounds.Peer
			}
			if round >= limit {
				continue
			}
			figure, err := sample()
			if err != nil {
				return 0, 0, err
			}
			samples[side] = append(samples[side], figure)
		}
	}
	return Median(samples[0]), Median(samples[1]), nil
}

// Rotate measures any number of sides: every round takes one sample of each,
// and every round starts with the next side. It returns the medians in the
// order of the sides.
func Rotate(rounds int, sides ...Sample) ([]float64, error) {
	each := make([]int, len(sides))
	for side := range each {
		each[side] = rounds
	}
	return RotateEach(each, sides...)
}

// RotateEach is Rotate with a number of rounds for each side: one that takes
// half a minute may be measured less often; the report has to say so.
func RotateEach(rounds []int, sides ...Sample) ([]float64, error) {
	samples := make([][]float64, len(sides))
	for round := range slices.Max(append([]int{0}, rounds...)) {
		for turn := range sides {
			side := (round + turn) % len(sides)
			if round >= rounds[side] {
				continue
			}
			figure, err := sides[side]()
			if err != nil {
				return nil, err
			}
			samples[side] = append(samples[side], figure)
		}
	}
	medians := make([]float64, len(sides))
	for side := range sides {
		medians[side] = Median(samples[side])
	}
	return medians, nil
}

// Median is the middle of the samples, or the mean of the middle two; 0 without samples.
func Median(samples []float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(samples))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
