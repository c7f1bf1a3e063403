// Package ent is the ent client of the article, generated with ent's defaults and its locks of rows.
package ent

//go:generate go run entc.go
