package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/webhook"
)

// maxKeys bounds the keys of a request: Sign takes as many.
const maxKeys = 16

// keyUntil is an entry of signing_keys, which is a list of them, newest first:
//
//	[{"key": "whsec_..."}, {"key": "whsec_...", "until": "2026-11-27T10:00:00Z"}]
type keyUntil struct {
	Key    string         `json:"key"`
	Until  *time.Time     `json:"until,omitempty"` // nil: until it is replaced
	signer webhook.Signer // what Key is
}

// parseKeys reads signing keys. Its errors have nothing of them.
func parseKeys(text store.JSON) ([]keyUntil, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	var keys []keyUntil
	if json.Unmarshal(text, &keys) != nil {
		return nil, errors.New(`is not a list of keys; write [{"key": "whsec_..."}]`)
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("has %d keys; %d are permitted", len(keys), maxKeys)
	}
	for i := range keys {
		signer, err := parseKey(keys[i].Key)
		if err != nil {
			return nil, fmt.Errorf("has a key that cannot be used, the one at position %d: %s", i+1, message(err))
		}
		keys[i].signer = signer
	}
	return keys, nil
}

func parseKey(text string) (webhook.Signer, error) {
	if strings.HasPrefix(text, "whsk_") {
		return webhook.ParseSigningKey(text)
	}
	return webhook.ParseSecret(text)
}

// RotateSecret adds a new secret to the keys of a request and returns it. The keys that the
// request had sign beside it for as long as overlap.
func RotateSecret(ctx context.Context, c *core.Conn, s *Spec, request int64, overlap time.Duration) (webhook.Secret, error) {
	secret := webhook.GenerateSecret()
	return secret, rotate(ctx, c, s, request, overlap, secret.Reveal())
}

// RotateSigningKey is RotateSecret with a key of ed25519, and returns its public half.
func RotateSigningKey(ctx context.Context, c *core.Conn, s *Spec, request int64, overlap time.Duration) (webhook.PublicKey, error) {
	key := webhook.GenerateSigningKey()
	return key.Public(), rotate(ctx, c, s, request, overlap, key.Reveal())
}

func rotate(ctx context.Context, c *core.Conn, s *Spec, request int64, overlap time.Duration, key string) error {
	if overlap < 0 {
		return fmt.Errorf("webhook: %w: an overlap cannot be negative", store.ErrInvalid)
	}
	return c.InTx(ctx, func(c *core.Conn) error {
		row, err := s.Locked(ctx, c, request)
		if err != nil {
			return err
		}
		now, err := c.Now(ctx)
		if err != nil {
			return err
		}
		old, err := parseKeys(row.SigningKeys)
		if err != nil {
			return fmt.Errorf("webhook: %w: signing_keys %w", store.ErrInvalid, err)
		}
		text, err := json.Marshal(append([]keyUntil{{Key: key}}, ending(old, now, now.Add(overlap))...))
		if err != nil {
			return err
		}
		return s.Change(ctx, c, request, RequestPatch{SigningKeys: store.Set(store.JSON(text))})
	})
}

// ending keeps the keys that sign still, until a moment at most.
func ending(keys []keyUntil, now, until time.Time) []keyUntil {
	var out []keyUntil
	for _, k := range keys {
		if k.Until == nil || k.Until.After(until) {
			k.Until = &until
		}
		if k.Until.After(now) && len(out) < maxKeys-1 {
			out = append(out, k)
		}
	}
	return out
}
