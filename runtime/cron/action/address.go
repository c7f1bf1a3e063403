package action

import (
	"encoding/json"
	"errors"
)

// addressees are addresses, which people write as one text or as a list of texts.
type addressees []string

// UnmarshalJSON reads an address, or a list of them.
func (a *addressees) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = addressees{one}
		return nil
	}
	var list []string
	if json.Unmarshal(data, &list) != nil {
		return errors.New(`to is an address, such as "ops@example.com", or a list of addresses`)
	}
	*a = list
	return nil
}
