package schedule_test

import (
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/cron/schedule"
)

func TestDescribe(t *testing.T) {
	for expr, want := range map[string]string{
		"* * * * *":                        "every minute",
		"*/5 * * * *":                      "every 5 minutes",
		"*/7 * * * *":                      "at every 7th minute of every hour",
		"*/10 9-17 * * mon-fri":            "every 10 minutes of hours 9 to 17 on Monday to Friday",
		"5 * * * *":                        "at minute 5 of every hour",
		"0,30 * * * *":                     "at minutes 0 and 30 of every hour",
		"5/15 * * * *":                     "at every 15th minute from 5 to 59 of every hour",
		"0 */2 * * *":                      "at minute 0 of every 2nd hour",
		"0 */6 * * *":                      "at 00:00, 06:00, 12:00 and 18:00 every day",
		"30 2 * * mon-fri":                 "at 02:30 on Monday to Friday",
		"0 0 * * 7":                        "at 00:00 on Sunday",
		"0 0 * * */2":                      "at 00:00 on Sunday, Tuesday, Thursday and Saturday",
		"0 0 * * fri-sun":                  "at 00:00 on Friday to Sunday",
		"0 0 1 1 *":                        "at 00:00 on day 1 of the month in January",
		"0 0 1,15 jan-mar ?":               "at 00:00 on days 1 and 15 of the month in January to March",
		"0 0 */10 * *":                     "at 00:00 on every 10th day of the month",
		"0 0 13 * fri":                     "at 00:00 on day 13 of the month, or on Friday",
		"0 0 1 */3 *":                      "at 00:00 on day 1 of the month in January, April, July and October",
		"* * * * * *":                      "every second",
		"*/10 * * * * *":                   "every 10 seconds",
		"* 5 * * * *":                      "every second of minute 5 of every hour",
		"0 30 2 * * *":                     "at 02:30:00 every day",
		"5,10 * * * * *":                   "at seconds 5 and 10 of every minute",
		"* 9 * * *":                        "every minute of hour 9",
		"@daily":                           "at 00:00 every day",
		"@hourly":                          "at minute 0 of every hour",
		"@every 90m":                       "every 1 hour and 30 minutes",
		"@every 1h":                        "every hour",
		"@every 24h":                       "every 24 hours",
		"@every 1h2m3s":                    "every 1 hour, 2 minutes and 3 seconds",
		"CRON_TZ=Europe/Paris 0 9 * * *":   "at 09:00 every day, Europe/Paris time",
		"CRON_TZ=Asia/Tokyo @every 30s":    "every 30 seconds",
		"0 8-18/2 * * *":                   "at 08:00, 10:00, 12:00, 14:00, 16:00 and 18:00 every day",
		"0,15 9-12,14 1-7,20-30/2 * 1,3-5": "at minutes 0 and 15 of hours 9 to 12 and 14 on days 1 to 7 and every 2nd from 20 to 30 of the month, or on Monday and Wednesday to Friday",
	} {
		s, err := schedule.Parse(expr, schedule.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := s.Describe(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, got, want)
		}
	}
}

func TestString(t *testing.T) {
	for expr, want := range map[string]string{
		" 05  1-3,MON-wed\t": "", // refused
		"05 1-3 ? JAN mon":   "5 1-3 * 1 1",
		"5/15 * * * *":       "5-59/15 * * * *",
		"*/1 * * * 7":        "*/1 * * * 7",
		"0 0 * * fri-sun":    "0 0 * * 5,6,0",
		"0 0 * * 1-7/2":      "0 0 * * 1,3,5,0",
		"@Midnight":          "@daily",
		"@annually":          "@yearly",
		"@every 90m":         "@every 1h30m",
		"@every 3600s":       "@every 1h",
		"TZ=UTC  @hourly":    "CRON_TZ=UTC @hourly",
		"TZ=UTC 0 0 * * *":   "CRON_TZ=UTC 0 0 * * *",
		"00 00 00 * * *":     "0 0 0 * * *",
	} {
		switch expr {
		case "*/1 * * * 7":
			want = "* * * * 0"
		}
		s, err := schedule.Parse(expr, schedule.Options{})
		if want == "" {
			if err == nil {
				t.Errorf("%q is accepted", expr)
			}
			continue
		}
		if err != nil || s.String() != want {
			t.Errorf("%q: %v, %v, want %s", expr, s, err, want)
		}
	}
}

func TestWarnings(t *testing.T) {
	for expr, want := range map[string]string{
		"* * * * *":        "",
		"30 2 * * mon-fri": "",
		"0 0 1 * *":        "",
		"@hourly":          "",
		"*/15 */6 * * *":   "",
		"0 0 1 * * *":      "the expression has six fields, of which the first is the second; cron has five",
		"5/15 * * * *":     "5/15 in the minute means 5-59/15; cron would refuse it",
		"0 0 * * tue/2":    "tue/2 in the day of the week means tue-sat/2; cron would refuse it",
		"*/7 * * * *":      "*/7 in the minute does not divide 60: after 56 the next one comes after 4, not 7",
		"0 */5 * * *":      "*/5 in the hour does not divide 24: after 20 the next one comes after 4, not 5",
		"0 0 13 * fri":     "days of the month and days of the week are both restricted: either of them is enough",
		"0 0 */10 * mon":   "days of the month and days of the week are both restricted: either of them is enough, also with a step such as */2, where cron would ask for both|*/10 in the day of the month begins again on the 1st of each month",
		"0 0 31 2 mon":     "days of the month and days of the week are both restricted: either of them is enough|no month of the schedule has a day 31: only the day of the week counts",
		"0 0 31 * *":       "February, April, June, September and November have no day 31",
		"0 0 30 * *":       "February has no day 30",
		"0 0 29 * *":       "February has a day 29 in leap years only",
		"0 0 29,31 * *":    "February has a day 29 in leap years only",
		"0 0 28,31 * *":    "",
		"0 0 31 1,12 *":    "",
		"* 2 * * *":        "* in the minute means 60 times within hour 2; write 0 for once",
		"* 5 * * * *":      "the expression has six fields, of which the first is the second; cron has five|* in the second means 60 times within minute 5; write 0 for once",
		"5,* * * * *":      "the list of the minute has a *, so that it permits everything",
		"0 0 */2 * *":      "*/2 in the day of the month begins again on the 1st of each month",
	} {
		s, err := schedule.Parse(expr, schedule.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := strings.Join(s.Warnings(), "|"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", expr, got, want)
		}
	}
}
