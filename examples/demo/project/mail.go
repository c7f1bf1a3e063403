package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/hegner123/modulagen/runtime/mail"
	"github.com/hegner123/modulagen/runtime/mail/mailtest"

	"shop/generated"
)

// sendMail tells three buyers what is in stock, through a mail server on this machine, and returns
// what has arrived there.
func sendMail(ctx context.Context, db *generated.DB) (arrived []mailtest.Message, err error) {
	sink, err := newSink()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	products, err := db.Product.Count(ctx, generated.ProductFilter{}, 0)
	if err != nil {
		return nil, err
	}
	var ids []generated.EmailQueueID
	err = db.Tx(ctx, func(tx *generated.Tx) error { // all three, or none
		var messages []mail.Message
		for _, to := range []string{"Zoë Müller <zoe@example.com>", "gone@example.com", "slow@example.com"} {
			messages = append(messages, mail.Message{
				From: "Shop <shop@shop.example>", To: []string{to}, Subject: "Neu: größere Auswahl",
				HTML: fmt.Sprintf("<p>There are <b>%d</b> products in stock.</p>", products),
			})
		}
		ids, err = tx.EmailQueue.SendMany(ctx, messages)
		return err
	})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- db.Run(running, generated.Workers{Mail: mail.SMTP{Servers: []mail.Server{sink.config}}})
	}()
	for _, id := range ids {
		if _, e := db.EmailQueue.Await(ctx, id); e != nil {
			err = e
			break
		}
	}
	stop()
	err = errors.Join(err, <-ended)
	return sink.messages(), err
}

// showMail prints what arrived, as it was parsed, and the rows.
func showMail(ctx context.Context, db *generated.DB, arrived []mailtest.Message, w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\nARRIVED FOR\tSUBJECT\tTEXT")
	for _, m := range arrived {
		fmt.Fprintf(t, "%s\t%s\t%s\n", strings.Join(m.To, " "), m.Subject, strings.TrimSpace(m.Text))
	}
	fmt.Fprintln(t, "\nMAIL TO\tSTATUS\tATTEMPTS\tERROR")
	for row, err := range db.EmailQueue.All(ctx, generated.EmailQueueQuery{}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", row.To, row.Status, row.Attempts, row.Error.V)
	}
	fmt.Fprintln(t, "\nSUPPRESSED\tREASON\tDETAIL")
	for row, err := range db.EmailSuppressions.All(ctx, generated.EmailSuppressionQuery{}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", row.Address, row.Reason, row.Detail.V)
	}
	return t.Flush()
}

// checkMail compares the rows with what the sink answers: one address at once, one never, one
// the second time.
func checkMail(ctx context.Context, db *generated.DB, arrived []mailtest.Message, want expectedProducts) ([]figure, error) {
	var rows, suppressed, got []string
	for row, err := range db.EmailQueue.All(ctx, generated.EmailQueueQuery{}) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, fmt.Sprintf("%s after %d", row.Status, row.Attempts))
	}
	for row, err := range db.EmailSuppressions.All(ctx, generated.EmailSuppressionQuery{}) {
		if err != nil {
			return nil, err
		}
		suppressed = append(suppressed, row.Address+" "+string(row.Reason))
	}
	for _, m := range arrived {
		got = append(got, strings.Join(m.To, " "))
	}
	slices.Sort(got)
	figures := []figure{
		{"mail: states and attempts", rows, "[sent after 1 failed after 1 sent after 2]"},
		{"mail: suppressed", suppressed, "[gone@example.com hard_bounce]"},
		{"mail: arrived for", got, "[slow@example.com zoe@example.com]"},
	}
	for _, m := range arrived {
		figures = append(figures,
			figure{"mail: subject", m.Subject, "Neu: größere Auswahl"},
			figure{"mail: products", strings.Contains(m.Text, fmt.Sprintf("%d", want.Products)), true})
	}
	return figures, nil
}
