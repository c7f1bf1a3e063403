// Package crontab explains schedules to people, and reads crontabs to say what is different about them
// here. The commands `modulagen cron next` and `modulagen cron lint` print what it returns.
package crontab
