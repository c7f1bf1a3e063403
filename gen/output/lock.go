package output

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Lock keeps other runs away from the folder until the function that it gives
// is called, waiting for one that is there already. The lock ends with its
// process, however that ends. It is a file in the system's temporary folder, so
// that nothing of it is left among the generated files.
func (d Dir) Lock() (unlock func(), err error) {
	abs, err := filepath.Abs(d.shown())
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	sum := sha256.Sum256([]byte(abs))
	name := fmt.Sprintf("modulagen-%d-%s.lock", os.Getuid(), hex.EncodeToString(sum[:8]))
	unlock, err = lockedfile.MutexAt(filepath.Join(os.TempDir(), name)).Lock()
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return unlock, nil
}
