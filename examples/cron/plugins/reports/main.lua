-- Called by the job Generate Daily Report.
function generateDailyReport()
  local published = db.article.list{where = {status = "published"}}
  log(#published .. " published")
  for _, article in ipairs(published) do
    log("  " .. article.title)
  end
end
