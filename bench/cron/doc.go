// Package cron measures schedules beside other parsers of cron expressions: how long Next and
// Parse take, and how much they allocate. It measures the firing of jobs: many at one instant, few
// of very many, and one each second while processes are killed, beside River and gocron.
package cron
