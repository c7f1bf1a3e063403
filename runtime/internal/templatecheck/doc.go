// Package templatecheck checks templates of text/template against the type of the data that
// they will be executed with, before they are: whether each field and method exists. What has
// no type before it is executed (interfaces, results of built-in functions) is not checked.
package templatecheck
