-- The bot's database after an upgrade, with two sessions.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE chat_history (
  id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL,
  role TEXT CHECK(role IN ('user','bot')) NOT NULL, message TEXT NOT NULL, ts DATETIME DEFAULT CURRENT_TIMESTAMP);
INSERT INTO chat_history VALUES
 (1,'bot-a','bot','Hello. Who stands by you?','2025-02-03 09:00:00'),
 (2,'bot-a','user','My aunt; she''s always there.','2025-02-03 09:00:30'),
 (3,'bot-a','bot','What are you good at?','2025-02-03 09:00:31'),
 (4,'bot-a','user','Fixing bicycles.','2025-02-28 23:59:59'),
 (5,'bot-b','bot','Hello. Who stands by you?','2025-03-01 00:00:01'),
 (6,'bot-b','user','Nobody. I want to end my life.','2025-03-01 00:01:00'),
 (7,'bot-b','bot','You can talk to somebody now.',NULL),
 (8,'bot-b','system','resources_shown','2025-03-01 00:01:02');
CREATE TABLE sessions (session_id TEXT PRIMARY KEY, fsm_state TEXT NOT NULL DEFAULT 'welcome',
  created_at DATETIME, last_activity DATETIME, completed BOOLEAN DEFAULT FALSE, completion_time DATETIME);
INSERT INTO sessions VALUES('bot-a','worries','2025-02-03 08:59:59','2025-02-28 23:59:59',0,NULL);
CREATE TABLE user_responses (id INTEGER PRIMARY KEY, session_id TEXT, step TEXT, response TEXT,
  attempt_count INTEGER DEFAULT 0, created_at DATETIME);
INSERT INTO user_responses VALUES(1,'bot-a','support_people','My aunt; she''s always there.',1,'2025-02-03 09:00:30');
INSERT INTO user_responses VALUES(2,'bot-a','strengths',NULL,1,'2025-02-28 23:59:59');
INSERT INTO user_responses VALUES(3,'bot-a','favourite_color','green',1,'2025-02-28 23:59:59');
CREATE TABLE risk_detections (id INTEGER PRIMARY KEY, session_id TEXT, trigger_phrase TEXT, user_message TEXT,
  detected_at DATETIME, resources_shown BOOLEAN DEFAULT TRUE);
INSERT INTO risk_detections VALUES(1,'bot-b','end my life','Nobody. I want to end my life.','2025-03-01 00:01:00',1);
CREATE TABLE session_summaries (id INTEGER PRIMARY KEY, session_id TEXT, summary_type TEXT, summary_data TEXT,
  generated_at DATETIME);
INSERT INTO session_summaries VALUES(1,'bot-a','partial','{"support_people": "aunt"}','2025-02-03 09:01:00');
INSERT INTO session_summaries VALUES(2,'bot-a','partial','{broken','2025-02-03 09:02:00');
CREATE TABLE intent_classifications (id INTEGER PRIMARY KEY, session_id TEXT, user_message TEXT,
  classified_intent TEXT, confidence REAL, method TEXT, fsm_state TEXT, created_at DATETIME);
INSERT INTO intent_classifications VALUES(1,'bot-a','Fixing bicycles.','answer',0.9,'distilbert','strengths','2025-02-28 23:59:59');
CREATE TABLE analytics (id INTEGER PRIMARY KEY, event_type TEXT, event_data TEXT, session_count INTEGER, timestamp DATETIME);
INSERT INTO analytics VALUES(1,'daily_usage','{"messages": 8, "note": "two of them were about Jo"}',2,'2025-03-01 23:00:00');
COMMIT;
