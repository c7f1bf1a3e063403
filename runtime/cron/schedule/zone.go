package schedule

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // for machines without time zones: none becomes UTC silently

	"github.com/hegner123/modulagen/internal/near"
)

// located has the time zones that were loaded, by name. Only names that exist are kept.
var located sync.Map

// zoneNames are the names of zones, sorted.
var zoneNames = sync.OnceValue(func() []string { return strings.Fields(zones) })

// Location returns the time zone of a name such as Europe/Paris. It does not depend on what is
// installed: package time/tzdata is linked. The empty name and Local are refused, because they
// would mean something else on another machine. Errors are *ParseErrors.
func Location(name string) (*time.Location, error) {
	loc, problem, hint := location(name)
	if problem != "" {
		return nil, &ParseError{name, 0, problem, hint}
	}
	return loc, nil
}

func location(name string) (loc *time.Location, problem, hint string) {
	if known, found := located.Load(name); found {
		return known.(*time.Location), "", ""
	}
	const example = "write a name such as UTC, Europe/Paris or America/New_York"
	switch {
	case name == "":
		return nil, "the time zone has no name", example
	case strings.EqualFold(name, "local") || name == "localtime":
		return nil, fmt.Sprintf("the time zone %q would be another one on each machine", name), example
	case strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix"):
		return nil, fmt.Sprintf("the time zone %q is not on every machine", name), example
	case len(name) > 60:
		return nil, "the time zone's name is too long", example
	}
	if same := sameFold(name); same != "" && same != name {
		return nil, fmt.Sprintf("there is no time zone %q", name), "is " + same + " meant?"
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Sprintf("there is no time zone %q", name), zoneHint(name, example)
	}
	located.Store(name, loc)
	return loc, "", ""
}

// sameFold is the zone of a name written in other cases.
func sameFold(name string) string {
	for _, z := range zoneNames() {
		if strings.EqualFold(z, name) {
			return z
		}
	}
	return ""
}

// zoneHint is what a name was probably to be.
func zoneHint(name, example string) string {
	if strings.ContainsAny(name, "\"'`") {
		return "write it without quotes"
	}
	if full, found := abbreviations[strings.ToUpper(name)]; found {
		return full + " is the name of a zone with its daylight saving time"
	}
	if strings.ContainsAny(name, "0123456789") && !strings.Contains(name, "/") {
		return "an offset has a name such as Etc/GMT-2, which is two hours ahead of UTC"
	}
	for _, z := range zoneNames() { // Paris, New_York
		if _, city, found := strings.Cut(z, "/"); found && strings.EqualFold(city, strings.ReplaceAll(name, " ", "_")) {
			return "is " + z + " meant?"
		}
	}
	if best := near.Name(name, zoneNames()); best != "" {
		return "is " + best + " meant?"
	}
	return example
}

// abbreviations are not zones: they name only half of a year, and several of them more than one
// place.
var abbreviations = map[string]string{
	"PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "MDT": "America/Denver", "CST": "America/Chicago",
	"CDT": "America/Chicago", "EDT": "America/New_York", "BST": "Europe/London", "CEST": "Europe/Berlin", "EEST": "Europe/Helsinki",
	"IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "AEST": "Australia/Sydney", "AEDT": "Australia/Sydney", "NZST": "Pacific/Auckland",
}

// Zones returns the names of the time zones that Location knows on every machine, sorted.
func Zones() []string { return slices.Clone(zoneNames()) }
