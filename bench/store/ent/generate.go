// Package ent is the ent client of the article, generated with ent's defaults.
package ent

//go:generate go run -mod=mod entgo.io/ent/cmd/ent generate ./schema
