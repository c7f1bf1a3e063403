// Package process starts programs that must end when the tool does.
package process
