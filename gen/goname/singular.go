package goname

import "strings"

// Singular returns the singular of a name in snake case, of which only the last
// word counts: "webhook_deliveries" gives "webhook_delivery". A name that is
// no plural stays. English has more exceptions than are listed here; go_name
// in a definition overrules.
func Singular(name string) string {
	head, last := "", name
	if i := strings.LastIndexByte(name, '_'); i >= 0 {
		head, last = name[:i+1], name[i+1:]
	}
	return head + singularWord(last)
}

func singularWord(w string) string {
	if s, ok := irregular[w]; ok {
		return s
	}
	if _, ok := initialisms[w]; ok {
		return w
	}
	if one, ok := strings.CutSuffix(w, "s"); ok && initialisms[one] != "" {
		return one
	}
	for _, r := range endings {
		stem, ok := strings.CutSuffix(w, r.plural)
		if ok && len(stem) >= r.least {
			return stem + r.singular
		}
	}
	return w
}

// endings are tried in order; the first that fits decides.
var endings = []struct {
	plural, singular string
	least            int // letters before the ending
}{
	{"ss", "ss", 0},
	{"us", "us", 0},
	{"is", "is", 0},
	{"ics", "ics", 1},
	{"sses", "ss", 1},
	{"shes", "sh", 1},
	{"tches", "tch", 1},
	{"rches", "rch", 1},
	{"nches", "nch", 1},
	{"aches", "ach", 2},
	{"oaches", "oach", 1},
	{"xes", "x", 1},
	{"zzes", "zz", 1},
	{"ies", "y", 2},
	{"s", "", 2},
}

// irregular also lists words that look like plurals and are none.
var irregular = func() map[string]string {
	m := map[string]string{}
	for pair := range strings.FieldsSeq(`
		people:person children:child men:man women:woman mice:mouse geese:goose feet:foot teeth:tooth oxen:ox
		indices:index matrices:matrix vertices:vertex appendices:appendix criteria:criterion phenomena:phenomenon
		analyses:analysis crises:crisis theses:thesis diagnoses:diagnosis hypotheses:hypothesis synopses:synopsis
		axes:axis quizzes:quiz statuses:status buses:bus aliases:alias canvases:canvas viruses:virus bonuses:bonus
		campuses:campus censuses:census biases:bias gases:gas lenses:lens atlases:atlas corpora:corpus
		menus:menu gurus:guru emojis:emoji taxis:taxi skis:ski
		movies:movie cookies:cookie calories:calorie zombies:zombie selfies:selfie rookies:rookie ties:tie pies:pie
		lies:lie dies:die heroes:hero potatoes:potato tomatoes:tomato echoes:echo vetoes:veto
		lives:life wives:wife knives:knife leaves:leaf shelves:shelf halves:half wolves:wolf thieves:thief
		selves:self loaves:loaf caches:cache niches:niche avalanches:avalanche headaches:headache
		alias:alias canvas:canvas atlas:atlas bias:bias gas:gas lens:lens chaos:chaos news:news series:series
		species:species always:always was:was has:has its:its this:this does:does previous:previous`) {
		plural, singular, _ := strings.Cut(pair, ":")
		m[plural] = singular
	}
	return m
}()
