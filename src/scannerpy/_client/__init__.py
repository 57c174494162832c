"""What `Client` is made of: the database it holds, and the steps of a run. Joins the floors; decides little."""
