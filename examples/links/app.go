package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hegner123/modulagen/examples/links/generated"
	"github.com/hegner123/modulagen/runtime/store"
)

// app is the link shortener: an address is given a short code, is followed, counted, edited
// and in the end expires.
type app struct {
	db  *generated.DB
	now func() time.Time
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /owners/{owner}/links", answering(a.shorten))
	mux.HandleFunc("GET /owners/{owner}/links", answering(a.list))
	mux.HandleFunc("GET /owners/{owner}/report", answering(a.report))
	mux.HandleFunc("PUT /links/{code}", answering(a.edit))
	mux.HandleFunc("GET /{code}", a.follow)
	return mux
}

var (
	errQuota = errors.New("the owner has as many links as the quota allows")
	errGone  = errors.New("the link has expired")
)

// shorten adds a link. Two requests of one owner at once do not get past the quota, because the
// second one waits for the owner's row until the first one has ended.
func (a *app) shorten(r *http.Request) (any, error) {
	owner, err := ownerOf(r)
	if err != nil {
		return nil, err
	}
	var n generated.LinkNew
	if n, err = newLink(r, owner); err != nil {
		return nil, err
	}
	var link *generated.Link
	err = a.db.Tx(r.Context(), func(tx *generated.Tx) error {
		row, err := tx.Owner.GetForUpdate(r.Context(), owner)
		if err != nil {
			return err
		}
		has, err := tx.Link.Count(r.Context(), generated.LinkFields.Owner.Eq(owner), int(row.Quota))
		if err != nil {
			return err
		}
		if int64(has) >= row.Quota {
			return errQuota
		}
		if link, err = tx.Link.Create(r.Context(), n); err != nil {
			return err
		}
		_, err = tx.Visits.Create(r.Context(), generated.VisitNew{Link: link.ID})
		return err
	})
	return link, err
}

func newLink(r *http.Request, owner generated.OwnerID) (generated.LinkNew, error) {
	n := generated.LinkNew{Code: r.FormValue("code"), Target: r.FormValue("target"), Owner: owner}
	if text := r.FormValue("expires"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return n, fmt.Errorf("expires: %w: %w", store.ErrInvalid, err)
		}
		n.ExpiresAt = store.Set(at)
	}
	return n, nil
}

// follow sends the visitor on, and counts: by a change in the statement, which loses no visit,
// however many come at once.
func (a *app) follow(w http.ResponseWriter, r *http.Request) {
	link, err := a.db.Link.GetByCode(r.Context(), r.PathValue("code"))
	if err == nil && link.Status == generated.LinkStatusExpired {
		err = errGone
	}
	if err == nil {
		_, err = a.db.Visits.UpdateWhere(r.Context(), generated.VisitFields.Link.Eq(link.ID), generated.VisitPatch{
			Total: store.Add(1), LastAt: store.Set(a.now()),
		})
	}
	if err != nil {
		refuse(w, err)
		return
	}
	http.Redirect(w, r, link.Target, http.StatusFound)
}

// edit changes where a link leads, if no one else has changed it since the version that the person saw.
func (a *app) edit(r *http.Request) (any, error) {
	version, err := strconv.ParseInt(r.FormValue("version"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("version: %w: %w", store.ErrInvalid, err)
	}
	link, err := a.db.Link.GetByCode(r.Context(), r.PathValue("code"))
	if err != nil {
		return nil, err
	}
	return a.db.Link.Update(r.Context(), link.ID, version, generated.LinkPatch{Target: store.Set(r.FormValue("target"))})
}

// list returns a page of an owner's links, the newest first.
func (a *app) list(r *http.Request) (any, error) {
	owner, err := ownerOf(r)
	if err != nil {
		return nil, err
	}
	f := generated.LinkFields
	return a.db.Link.List(r.Context(), generated.LinkQuery{
		Where: f.Owner.Eq(owner), Sort: []generated.LinkSort{f.CreatedAt.Desc()},
		Limit: 20, After: store.Cursor(r.FormValue("after")),
	})
}

// report is what an owner's links have come to.
type report struct {
	generated.OwnerSummaryRow
	Top []generated.TopLinksRow `json:"top"`
}

// report reads both of its parts from one state of the database, beside those who write.
func (a *app) report(r *http.Request) (any, error) {
	owner, err := ownerOf(r)
	if err != nil {
		return nil, err
	}
	var out report
	oneState := generated.TxOptions{Isolation: store.RepeatableRead, ReadOnly: true, Name: "report"}
	err = a.db.TxWith(r.Context(), oneState, func(tx *generated.Tx) (err error) {
		if out.OwnerSummaryRow, err = tx.Queries.OwnerSummary(r.Context(), owner); err != nil {
			return err
		}
		out.Top, err = tx.Queries.TopLinks(r.Context(), owner)
		return err
	})
	return out, err
}

// expire ends the links whose time has come, and returns how many. A job of cron would call it.
func (a *app) expire(ctx context.Context) (int64, error) {
	f := generated.LinkFields
	due := store.And(f.Status.Eq(generated.LinkStatusActive), f.ExpiresAt.Lte(a.now()))
	return a.db.Link.UpdateWhere(ctx, due, generated.LinkPatch{Status: store.Set(generated.LinkStatusExpired)})
}

func ownerOf(r *http.Request) (generated.OwnerID, error) {
	id, err := strconv.ParseInt(r.PathValue("owner"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("owner: %w: %w", store.ErrInvalid, err)
	}
	return generated.OwnerID(id), nil
}

// answering writes what a handler returns.
func answering(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := handle(r)
		if err != nil {
			refuse(w, err)
			return
		}
		text, err := json.Marshal(body)
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	}
}

// refuse answers with the status that stands for an error, the same on every database.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, store.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, store.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrStale), errors.Is(err, errQuota):
		status = http.StatusConflict
	case errors.Is(err, errGone):
		status = http.StatusGone
	case errors.Is(err, store.ErrBusy):
		status = http.StatusServiceUnavailable
	}
	http.Error(w, err.Error(), status)
}
