// Package storetest is the conformance suite of the store: one set of tests that
// every driver passes, over datatypes written by hand in the generator's style.
// A driver's own test is a call of Run:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) string { return storetest.FreshDSN(t, "postgres") })
//	}
package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
)

// Run holds a driver to what package store promises. fresh gives the DSN of a
// new, empty database that is gone when the test ends. except names what is left
// out, and a comment at the call says why.
func Run(t *testing.T, fresh func(t *testing.T) string, except ...string) {
	for _, s := range suites {
		if slices.Contains(except, s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) { s.run(t, Open(t, fresh(t), store.Options{})) })
	}
	for _, s := range openings {
		if slices.Contains(except, s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			dsn := fresh(t)
			if strings.HasSuffix(dsn, ":memory:") {
				dsn = "sqlite:" + t.TempDir() + "/again.db" // what is gone on Close cannot be opened again
			}
			s.run(t, dsn)
		})
	}
}

// suites start with an open database.
var suites = []struct {
	name string
	run  func(*testing.T, *DB)
}{
	{"RoundTrip", testRoundTrip},
	{"Defaults", testDefaults},
	{"Extremes", testExtremes},
	{"LargeValues", testLargeValues},
	{"Documents", testDocuments},
	{"RefusedDocuments", testRefusedDocuments},
	{"Update", testUpdate},
	{"UpdateIf", testUpdateIf},
	{"UpdateIfAtOnce", testUpdateIfAtOnce},
	{"Add", testAdd},
	{"AddAtOnce", testAddAtOnce},
	{"Append", testAppend},
	{"Floats", testFloats},
	{"FloatRefusals", testFloatRefusals},
	{"FloatFilters", testFloatFilters},
	{"FloatSteps", testFloatSteps},
	{"FloatsByHand", testFloatsByHand},
	{"UpdateWhere", testUpdateWhere},
	{"Version", testVersion},
	{"VersionAtOnce", testVersionAtOnce},
	{"GetForUpdate", testGetForUpdate},
	{"ListForUpdate", testListForUpdate},
	{"Upsert", testUpsert},
	{"UpsertCollides", testUpsertCollides},
	{"UpsertAtOnce", testUpsertAtOnce},
	{"Keys", testKeys},
	{"Delete", testDelete},
	{"DeleteWhere", testDeleteWhere},
	{"DeleteSomeAtOnce", testDeleteSomeAtOnce},
	{"CreateMany", testCreateMany},
	{"CreateManyAllOrNothing", testCreateManyAllOrNothing},
	{"CreateManyBytes", testCreateManyBytes},
	{"CreateManyWide", testCreateManyWide},
	{"Validation", testValidation},
	{"Conflict", testConflict},
	{"Reference", testReference},
	{"Refusals", testRefusals},
	{"Secrets", testSecrets},
	{"Unreadable", testUnreadable},
	{"Filters", testFilters},
	{"FilterProperty", testFilterProperty},
	{"TextOrder", testTextOrder},
	{"Hostile", testHostile},
	{"FilterLimits", testFilterLimits},
	{"FilterOptions", testFilterOptions},
	{"KeyOptions", testKeyOptions},
	{"FarTimes", testFarTimes},
	{"StrangeIDs", testStrangeIDs},
	{"Widest", testWidest},
	{"LongCursor", testLongCursor},
	{"Pages", testPages},
	{"PageProperty", testPageProperty},
	{"LongSort", testLongSort},
	{"Cursors", testCursors},
	{"NewerOptions", testNewerOptions},
	{"All", testAll},
	{"Counts", testCounts},
	{"Transaction", testTransaction},
	{"TransactionSees", testTransactionSees},
	{"Serializable", testSerializable},
	{"RepeatableRead", testRepeatableRead},
	{"ReadOnly", testReadOnly},
	{"TxOptions", testTxOptions},
	{"TransactionPanic", testTransactionPanic},
	{"TransactionEnds", testTransactionEnds},
	{"TransactionFails", testTransactionFails},
	{"TransactionRetries", testTransactionRetries},
	{"TransactionCancelled", testTransactionCancelled},
	{"Cancel", testCancel},
	{"NilContext", testNilContext},
	{"Cause", testCause},
	{"Concurrent", testConcurrent},
	{"Deadlock", testDeadlock},
	{"Statements", testStatements},
	{"ExecEach", testExecEach},
	{"Arrays", testArrays},
	{"Lists", testLists},
	{"NotInLists", testNotInLists},
	{"ChangeSome", testChangeSome},
	{"Forms", testForms},
	{"Each", testEach},
	{"SkipLocked", testSkipLocked},
	{"AfterCommit", testAfterCommit},
	{"BeforeCommit", testBeforeCommit},
	{"Announce", testAnnounce},
	{"Shared", testShared},
	{"Clock", testClock},
	{"Clocks", testClocks},
	{"Yield", testYield},
}

// openings start with a DSN.
var openings = []struct {
	name string
	run  func(*testing.T, string)
}{
	{"OpenTwice", testOpenTwice},
	{"Touched", testTouched},
	{"OpenAtOnce", testOpenAtOnce},
	{"OpenDiffers", testOpenDiffers},
	{"OpenFits", testOpenFits},
	{"OpenChecks", testOpenChecks},
	{"OpenCompletes", testOpenCompletes},
	{"PartialConflict", testPartialConflict},
	{"FakeClock", testFakeClock},
	{"LocalClock", testLocalClock},
	{"AnnounceAcross", testAnnounceAcross},
	{"ListenersEnd", testListenersEnd},
	{"Closed", testClosed},
	{"CloseWaits", testCloseWaits},
	{"PoolWait", testPoolWait},
	{"Nested", testNested},
	{"NestedStarves", testNestedStarves},
	{"NotNested", testNotNested},
	{"Effects", testEffects},
	{"EffectsWithoutRows", testEffectsWithoutRows},
	{"UnwantedEffects", testUnwantedEffects},
	{"Cascades", testCascades},
	{"ManyEffects", testManyEffects},
	{"UpdateSome", testUpdateSome},
	{"UpdateSomeAtOnce", testUpdateSomeAtOnce},
	{"UpdateWhereEffects", testUpdateWhereEffects},
	{"UpsertsWithRows", testUpsertsWithRows},
	{"Reserved", testReserved},
}
