package postgres

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/shopspring/decimal"
)

// scanAll reads the current row from its bytes: what the store's columns hold
// is decoded here without a value being boxed, the rest by pgx.
func scanAll(rows pgx.Rows, dest []any) error {
	raw, fields := rows.RawValues(), rows.FieldDescriptions()
	if len(raw) != len(dest) {
		return fmt.Errorf("postgres: the result has %d columns, not %d", len(raw), len(dest))
	}
	for i, d := range dest {
		if err := scan(rows, &fields[i], raw[i], d); err != nil {
			return fmt.Errorf("postgres: column %s: %w", fields[i].Name, err)
		}
	}
	return nil
}

func scan(rows pgx.Rows, f *pgconn.FieldDescription, raw []byte, dest any) error {
	if raw == nil {
		return core.Assign(dest, nil)
	}
	binaryForm := f.Format == pgtype.BinaryFormatCode
	switch f.DataTypeOID {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.JSONOID, pgtype.NameOID:
		return assignText(dest, raw)
	case pgtype.JSONBOID:
		if binaryForm && len(raw) > 0 { // a version byte stands in front
			raw = raw[1:]
		}
		return assignText(dest, raw)
	case pgtype.Int8OID:
		if binaryForm && len(raw) == 8 {
			return assignInt(dest, int64(binary.BigEndian.Uint64(raw)))
		}
	case pgtype.Int4OID:
		if binaryForm && len(raw) == 4 {
			return assignInt(dest, int64(int32(binary.BigEndian.Uint32(raw))))
		}
	case pgtype.Float8OID:
		if binaryForm && len(raw) == 8 {
			return assignFloat(dest, math.Float64frombits(binary.BigEndian.Uint64(raw)))
		}
	case pgtype.BoolOID:
		if binaryForm && len(raw) == 1 {
			return assignBool(dest, raw[0] != 0)
		}
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		if binaryForm && len(raw) == 8 {
			return assignTime(dest, int64(binary.BigEndian.Uint64(raw)))
		}
	case pgtype.ByteaOID:
		if binaryForm {
			return core.Assign(dest, raw)
		}
	case pgtype.NumericOID:
		return assignNumeric(rows, f, raw, dest)
	}
	return assignOther(rows, f, raw, dest)
}

func assignText(dest any, raw []byte) error {
	switch d := dest.(type) {
	case *string:
		*d = string(raw)
	case *store.Null[string]:
		*d = store.Some(string(raw))
	case *json.RawMessage:
		*d = append(make([]byte, 0, len(raw)), raw...)
	default:
		return core.Assign(dest, raw)
	}
	return nil
}

func assignInt(dest any, n int64) error {
	switch d := dest.(type) {
	case *int64:
		*d = n
	case *store.Null[int64]:
		*d = store.Some(n)
	default:
		return core.Assign(dest, n)
	}
	return nil
}

func assignFloat(dest any, f float64) error {
	switch d := dest.(type) {
	case *float64:
		return core.Assign(d, f)
	case *store.Null[float64]:
		d.Valid = true
		return core.Assign(&d.V, f)
	default:
		return core.Assign(dest, f)
	}
}

func assignBool(dest any, v bool) error {
	switch d := dest.(type) {
	case *bool:
		*d = v
	case *store.Null[bool]:
		*d = store.Some(v)
	default:
		return core.Assign(dest, v)
	}
	return nil
}

// epoch is where PostgreSQL counts microseconds from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func assignTime(dest any, micros int64) error {
	if micros == math.MaxInt64 || micros == math.MinInt64 {
		return fmt.Errorf("the time is infinity")
	}
	t := time.UnixMicro(epoch + micros).UTC()
	switch d := dest.(type) {
	case *time.Time:
		*d = t
	case *store.Null[time.Time]:
		*d = store.Some(t)
	default:
		return core.Assign(dest, t)
	}
	return nil
}

func assignNumeric(rows pgx.Rows, f *pgconn.FieldDescription, raw []byte, dest any) error {
	var n pgtype.Numeric
	if err := rows.Conn().TypeMap().Scan(f.DataTypeOID, f.Format, raw, &n); err != nil {
		return err
	}
	if n.NaN || n.InfinityModifier != pgtype.Finite || n.Int == nil {
		return fmt.Errorf("the number is not finite")
	}
	return core.Assign(dest, decimal.NewFromBigInt(n.Int, n.Exp).String())
}

// assignOther leaves a value to pgx: a type that only a user's own query gives,
// or text form behind a connection pooler.
func assignOther(rows pgx.Rows, f *pgconn.FieldDescription, raw []byte, dest any) error {
	m := rows.Conn().TypeMap()
	t, ok := m.TypeForOID(f.DataTypeOID)
	if !ok {
		return core.Assign(dest, raw)
	}
	v, err := t.Codec.DecodeDatabaseSQLValue(m, f.DataTypeOID, f.Format, raw)
	if err != nil {
		return err
	}
	return core.Assign(dest, v)
}
