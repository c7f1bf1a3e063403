package scaffold

// Handled is the datatype whose handlers a new project has, and whose jobs its main.go queues.
const Handled = "job_queue"

// Bodies are those of the methods of a new project's handlers, as gen.WorkersOptions takes them.
var Bodies = map[string][]string{
	"JobQueue.ImageOptimize": {`@fmt.Printf("job %d: optimize image %d\n", job.Row.ID, job.Payload.MediaID)`, "return nil"},
	"JobQueue.ImportData":    {`@fmt.Printf("job %d: import %s\n", job.Row.ID, job.Payload.CSVPath)`, "return nil"},
}
