function mail()
  log(#db.email_queue.list{} .. " messages at " .. run.due)
end
