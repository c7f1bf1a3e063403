package main

import (
	"context"
	"fmt"
)

func Example() {
	if err := run(context.Background(), "sqlite::memory:"); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// refused: store: article: status cannot move from draft to published; from there it can move to review
	// CDN: purged [https://example.com/live]
	// CRM: not now
	// CRM: article.publish: "It's \"live\"" is published
	// article.publish to CRM: delivered
	//   attempt 1: 503 Service Unavailable
	//   attempt 2: 200 OK
	// article.publish to CDN: delivered
	//   attempt 1: 200 OK
}
