DROP TABLE reports;
DROP TABLE messages;
DROP TABLE rooms;
