// Webhooks: an article goes through its workflow, and two endpoints are notified when it
// is published. One of them verifies the signature, and fails the first time.
//
// Sender and receivers are one program here, so that it can be run; they share nothing but
// HTTP and the secret.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/hegner123/modulagen/examples/webhooks/generated"
	"github.com/hegner123/modulagen/runtime/egress"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/webhook"
)

func main() {
	dsn := "sqlite:webhooks.db"
	if len(os.Args) > 1 {
		dsn = os.Args[1]
	}
	if err := run(context.Background(), dsn); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dsn string) error {
	db, err := generated.Open(ctx, dsn, generated.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	s := &sender{db}
	crm := newReceiver()
	defer crm.Close()
	if err := s.subscribe(ctx, crm); err != nil {
		return err
	}

	// db.Run delivers what is written meanwhile, here and in other processes.
	working, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- db.Run(working, generated.Workers{Webhooks: webhook.Options{
			Egress:  egress.Options{Allow: []string{"127.0.0.1"}}, // a receiver on this machine: refused unless listed
			Backoff: func(int) time.Duration { return 100 * time.Millisecond },
		}})
	}()
	err = s.publish(ctx)
	if err == nil {
		err = s.show(ctx)
	}
	stop()
	return errors.Join(err, <-done)
}

// sender is the program whose articles are published.
type sender struct{ db *generated.DB }

// subscribe has the receiver called when an article is published.
func (s *sender) subscribe(ctx context.Context, r *receiver) error {
	route, err := s.db.Routes.GetBySlug(ctx, "articles")
	if err != nil {
		return err
	}
	signed, err := s.db.FetchRequests.Create(ctx, generated.FetchRequestNew{Name: "CRM", URL: r.URL + "/webhooks"})
	if err != nil {
		return err
	}
	secret, err := s.db.FetchRequests.RotateSecret(ctx, signed.ID, 0)
	if err != nil {
		return err
	}
	if err := r.trust(secret.Reveal()); err != nil { // shown once, to those who run the receiver
		return err
	}
	cdn, err := s.db.FetchRequests.Create(ctx, generated.FetchRequestNew{
		Name: "CDN", URL: r.URL + "/purge", Headers: store.Set(store.JSON(`{"Authorization": "Bearer purge-token"}`)),
		BodyTemplate: store.Set(`{"files": ["{{.URL}}"]}`),
	})
	if err != nil {
		return err
	}
	for _, id := range []generated.FetchRequestID{signed.ID, cdn.ID} {
		if _, err := s.db.RouteWebhooks.Create(ctx, generated.RouteWebhookNew{
			RouteID: store.Set(route.ID), FetchRequestID: id, TriggerEvent: generated.RouteWebhookTriggerEventPublish,
		}); err != nil {
			return err
		}
	}
	return nil
}

// publish takes an article through its workflow.
func (s *sender) publish(ctx context.Context) error {
	a, err := s.db.Article.Create(ctx, generated.ArticleNew{Title: `It's "live"`, URL: "https://example.com/live"})
	if err != nil {
		return err
	}
	if _, err := s.db.Article.Publish(ctx, a.ID); err != nil { // not before its review
		fmt.Println("refused:", err)
	}
	if _, err := s.db.Article.MoveToReview(ctx, a.ID); err != nil {
		return err
	}
	_, err = s.db.Article.Publish(ctx, a.ID)
	return err
}

// show waits for the ends of the deliveries, and prints the log of their attempts.
func (s *sender) show(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for d, err := range s.db.WebhookQueue.All(ctx, generated.WebhookQueueQuery{}) {
		if err != nil {
			return err
		}
		end, err := s.db.WebhookQueue.Await(ctx, d.ID)
		if err != nil {
			return err
		}
		request, err := s.db.FetchRequests.Get(ctx, end.FetchRequestID)
		if err != nil {
			return err
		}
		fmt.Printf("%s to %s: %s\n", end.EventType, request.Name, end.Status)
		attempts := generated.WebhookDeliveryQuery{Where: generated.WebhookDeliveryFields.DeliveryID.Eq(int64(end.ID))}
		for a, err := range s.db.WebhookDeliveries.All(ctx, attempts) {
			if err != nil {
				return err
			}
			fmt.Printf("  attempt %d: %d %s\n", a.Attempt.V, a.ResponseStatus.V, http.StatusText(int(a.ResponseStatus.V)))
		}
	}
	return nil
}
