// Package output brings generated files from memory to disk.
//
//	dir := output.Dir{Project: ".", Path: "generated", Version: "v0.1.0"}
//	if err := dir.Recover(); err != nil { ... }
//	plan, err := dir.Plan(files)   // reads, writes nothing
//	plan.Changes                   // what would be created, updated, deleted
//	plan.Conflicts                 // what someone edited, or wrote, there
//	err = plan.Commit(ctx, false)
//
// # Whose file it is
//
// modulagen.manifest.json, in the folder, lists every file that this tool wrote
// there with the hash of its content. A file that is not listed, or whose
// content is not what was written, belongs to a person: it is neither
// overwritten nor deleted, but named in an error, unless the caller forces it.
// Line ends do not count: a checkout that turns LF into CRLF edits nothing. Where
// version control has left the manifest with the lines of both sides of a merge, what
// either lists is the tool's, and a file that both have written is written anew.
//
// # All or nothing
//
// A commit goes through these states:
//
//	staging    all new content is written to .modulagen-staging in the folder; an error,
//	           a full disk or a cancelled context ends here, and only that
//	           folder has to go
//	journalled the list of renames and deletions is in that folder
//	applying   each file is renamed to its place; the manifest is the last. An
//	           error undoes what was done
//	done       the staging folder is gone
//
// A process that is killed before the journal is whole has changed nothing. One
// that is killed after it has left some files new and some old. Recover, at the
// next run, finds by the journal which are new, so that they do not count as
// edited, and that run's commit writes the others.
//
// # Whose folder it is
//
// The folder may have come with a repository that someone cloned. All access
// goes through an os.Root, no symbolic link is followed, and neither a manifest
// nor a journal can make the tool touch anything but files in this folder.
//
// Not covered: a power failure. Files are not flushed one by one; what the file
// system lost is reported as edited by the next run.
package output
