// Package mail measures how many messages are sent in a second beside a loop of a bare client
// with kept connections, how many statements of the database a message costs, and how much
// memory a worker takes in front of many large messages.
package mail
