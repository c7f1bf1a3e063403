package load

import "testing"

func TestSnake(t *testing.T) {
	for in, want := range map[string]string{
		"userId": "user_id", "UserID": "user_id", "User Name": "user_name", "a-b": "a_b", "2nd": "2nd",
		"*/": "", "größe": "", "already_snake": "already_snake", "__x__": "x", "line2Text": "line2_text",
	} {
		if got := snake(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
