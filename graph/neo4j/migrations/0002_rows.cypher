// Rows of statements that are searched by vector and by words: (:Row)-[:OF]->(:Statement), whose times and labels count.
// The indexes themselves are made with the first rows of a model and of a set of labels, since they are one for each.
CREATE CONSTRAINT rowset_maker IF NOT EXISTS FOR (w:RowSet) REQUIRE w.maker IS UNIQUE;
CREATE CONSTRAINT row_key IF NOT EXISTS FOR (r:Row) REQUIRE r.key IS UNIQUE;
CREATE INDEX row_near IF NOT EXISTS FOR (r:Row) ON (r.near);

// How many rows a set of labels has of a kind, and how many of them have a term.
CREATE CONSTRAINT shard_key IF NOT EXISTS FOR (h:Shard) REQUIRE h.key IS UNIQUE;
CREATE INDEX shard_maker IF NOT EXISTS FOR (h:Shard) ON (h.maker);
CREATE CONSTRAINT term_text IF NOT EXISTS FOR (t:Term) REQUIRE (t.words, t.text) IS UNIQUE;
