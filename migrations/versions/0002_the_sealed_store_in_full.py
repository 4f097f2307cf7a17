"""The sealed store in full."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.LargeBinary(length=16), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alarm_ended_at_at"), ["ended_at", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_alarm_kind_about"), ["kind", "about"], unique=False)

    op.create_table(
        "audit_check",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=True),
        sa.Column("first_what", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_audit_check")),
    )
    op.create_table(
        "backup",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
    )
    op.create_table(
        "breach",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("persons", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach")),
        sa.UniqueConstraint("number", name=op.f("uq_breach_number")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("breach", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_breach_closed_at_found_at"), ["closed_at", "found_at"], unique=False)

    op.create_table(
        "checkpoint",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "custodian",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custodian")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_custodian_token_hash")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destroyed",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("batch", sa.LargeBinary(length=16), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("term", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=160), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.LargeBinary(length=16), nullable=True),
        sa.Column("confirmed_by", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destroyed")),
        sa.UniqueConstraint(
            "batch", "day", "ground", "term", "outcome", name=op.f("uq_destroyed_batch_day_ground_term_outcome")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("destroyed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destroyed_day"), ["day"], unique=False)

    op.create_table(
        "destruction",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("proposed_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("decided_by", sa.LargeBinary(length=16), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destruction_state_proposed_at"), ["state", "proposed_at"], unique=False)

    op.create_table(
        "epoch_pin",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "team", "epoch", name=op.f("pk_epoch_pin")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "house_key",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "epoch", name=op.f("pk_house_key")),
    )
    op.create_table(
        "link_grant",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("grantor", sa.LargeBinary(length=16), nullable=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "recipient", name=op.f("pk_link_grant")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "linking_decision",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=600), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("starts_on", sa.String(length=10), nullable=False),
        sa.Column("review_on", sa.String(length=10), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linking_decision")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("linking_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_linking_decision_until"), ["until"], unique=False)

    op.create_table(
        "look_count",
        sa.Column("user_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "hour", "what", name=op.f("pk_look_count")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "oversight_reminder",
        sa.Column("about", sa.LargeBinary(length=16), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("about", "step", name=op.f("pk_oversight_reminder")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "person_request",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("received_on", sa.String(length=10), nullable=False),
        sa.Column("due_on", sa.String(length=10), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("identity_seen_on", sa.String(length=10), nullable=True),
        sa.Column("answered_on", sa.String(length=10), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_request")),
        sa.UniqueConstraint("number", name=op.f("uq_person_request_number")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recovery_grant",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("recovery_epoch", sa.Integer(), nullable=False),
        sa.Column("grantor", sa.LargeBinary(length=16), nullable=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "team", "epoch", "recovery_epoch", name=op.f("pk_recovery_grant")),
    )
    op.create_table(
        "recovery_pair",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("pair", sa.String(length=40), nullable=False),
        sa.Column("lower_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("higher_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("lower_wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("higher_wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "pair", name=op.f("pk_recovery_pair")),
    )
    op.create_table(
        "restoration",
        sa.Column("backup_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("backup_id", name=op.f("pk_restoration")),
    )
    op.create_table(
        "sample_draw",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_sample_draw")),
    )
    op.create_table(
        "segment",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_team_epoch"), ["team", "epoch"], unique=False)

    op.create_table(
        "team_roster",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "team", "epoch", name=op.f("pk_team_roster")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstone",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("row_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("set_no", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("day", "row_hash", name=op.f("pk_tombstone")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tombstone_row_hash"), ["row_hash"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_tombstone_set_no_day_row_hash"), ["set_no", "day", "row_hash"], unique=False
        )

    op.create_table(
        "try_link",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("counter", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_try_link")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("try_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_try_link_counter"), ["counter"], unique=False)

    op.create_table(
        "absence",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("member_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("stand_in", sa.LargeBinary(length=16), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["user.id"], name=op.f("fk_absence_member_id")),
        sa.ForeignKeyConstraint(["stand_in"], ["user.id"], name=op.f("fk_absence_stand_in")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_absence_team_ends_at"), ["team", "ends_at"], unique=False)

    op.create_table(
        "admission",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proposed_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["user.id"], name=op.f("fk_admission_member_id")),
        sa.PrimaryKeyConstraint("kind", "team", "member_id", name=op.f("pk_admission")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "breach_step",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("breach_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("how", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["breach_id"], ["breach.id"], name=op.f("fk_breach_step_breach_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breach_step")),
        sa.UniqueConstraint("breach_id", "step", name=op.f("uq_breach_step_breach_id_step")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "departure",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("member_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["user.id"], name=op.f("fk_departure_member_id")),
        sa.PrimaryKeyConstraint("kind", "team", "member_id", name=op.f("pk_departure")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "destruction_case",
        sa.Column("destruction_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_destruction_case_case_id")),
        sa.ForeignKeyConstraint(
            ["destruction_id"], ["destruction.id"], name=op.f("fk_destruction_case_destruction_id")
        ),
        sa.PrimaryKeyConstraint("destruction_id", "case_id", name=op.f("pk_destruction_case")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("destruction_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_destruction_case_case_id"), ["case_id"], unique=False)

    op.create_table(
        "device",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_device_user_id")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_device")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_user_id"), ["user_id"], unique=False)

    op.create_table(
        "emergency",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_emergency_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency")),
        sa.UniqueConstraint("case_id", name=op.f("uq_emergency_case_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("placed_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=True),
        sa.Column("review_on", sa.String(length=10), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.LargeBinary(length=16), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_hold_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_hold_review_on"), ["review_on"], unique=False)

    op.create_table(
        "keeping",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("term", sa.String(length=40), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("starts_on", sa.String(length=10), nullable=False),
        sa.Column("ends_on", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_keeping_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_keeping")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("keeping", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keeping_ends_on"), ["ends_on"], unique=False)

    op.create_table(
        "keeping_warning",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("told_on", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_keeping_warning_case_id")),
        sa.PrimaryKeyConstraint("case_id", "kind", name=op.f("pk_keeping_warning")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "link_entry",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("expires", sa.String(length=7), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_link_entry_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_entry")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("link_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_entry_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_entry_expires"), ["expires"], unique=False)

    op.create_table(
        "passkey",
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_passkey_user_id")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_passkey")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_user_id"), ["user_id"], unique=False)

    op.create_table(
        "request_decision",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("proposed_by", sa.LargeBinary(length=16), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.LargeBinary(length=16), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["person_request.id"], name=op.f("fk_request_decision_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_decision")),
        sa.UniqueConstraint("request_id", "ground", name=op.f("uq_request_decision_request_id_ground")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sample",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judgement", sa.String(length=40), nullable=True),
        sa.Column("judged_by", sa.LargeBinary(length=16), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["month"], ["sample_draw.month"], name=op.f("fk_sample_month")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint("month", "seq", name=op.f("uq_sample_month_seq")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("sample", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sample_member_id_answered_at"), ["member_id", "answered_at"], unique=False)

    op.create_table(
        "segment_case",
        sa.Column("segment_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_segment_case_case_id")),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_segment_case_segment_id")),
        sa.PrimaryKeyConstraint("segment_id", "case_id", name=op.f("pk_segment_case")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("segment_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_case_case_id"), ["case_id"], unique=False)
        batch_op.create_index(
            "ix_segment_case_live",
            ["team", "case_id"],
            unique=False,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        )

    op.create_table(
        "withdrawal",
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_withdrawal_case_id")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_withdrawal")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withdrawal_erase_at"), ["erase_at"], unique=False)

    op.create_table(
        "emergency_grant",
        sa.Column("entry_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["emergency.id"], name=op.f("fk_emergency_grant_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "recipient", name=op.f("pk_emergency_grant")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("emergency_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergency_grant_recipient"), ["recipient"], unique=False)

    op.create_table(
        "link_fold",
        sa.Column("entry_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["link_entry.id"], name=op.f("fk_link_fold_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "epoch", name=op.f("pk_link_fold")),
        sqlite_with_rowid=False,
    )
    op.drop_table("roster")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_action_seq"), ["action", "seq"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_actor_seq"), ["actor", "seq"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_at_seq"), ["at", "seq"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_at_seq"))
        batch_op.drop_index(batch_op.f("ix_audit_actor_seq"))
        batch_op.drop_index(batch_op.f("ix_audit_action_seq"))

    op.create_table(
        "roster",
        sa.Column("team", sa.VARCHAR(length=40), nullable=False),
        sa.Column("revision", sa.INTEGER(), nullable=False),
        sa.Column("sealed", sa.BLOB(), nullable=False),
        sa.PrimaryKeyConstraint("team", name=op.f("pk_roster")),
    )
    op.drop_table("link_fold")
    with op.batch_alter_table("emergency_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergency_grant_recipient"))

    op.drop_table("emergency_grant")
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withdrawal_erase_at"))

    op.drop_table("withdrawal")
    with op.batch_alter_table("segment_case", schema=None) as batch_op:
        batch_op.drop_index("ix_segment_case_live", sqlite_where=sa.text("live"), postgresql_where=sa.text("live"))
        batch_op.drop_index(batch_op.f("ix_segment_case_case_id"))

    op.drop_table("segment_case")
    with op.batch_alter_table("sample", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sample_member_id_answered_at"))

    op.drop_table("sample")
    op.drop_table("request_decision")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_user_id"))

    op.drop_table("passkey")
    with op.batch_alter_table("link_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_entry_expires"))
        batch_op.drop_index(batch_op.f("ix_link_entry_case_id"))

    op.drop_table("link_entry")
    op.drop_table("keeping_warning")
    with op.batch_alter_table("keeping", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_keeping_ends_on"))

    op.drop_table("keeping")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_review_on"))
        batch_op.drop_index(batch_op.f("ix_hold_case_id"))

    op.drop_table("hold")
    op.drop_table("emergency")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_user_id"))

    op.drop_table("device")
    with op.batch_alter_table("destruction_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_destruction_case_case_id"))

    op.drop_table("destruction_case")
    op.drop_table("departure")
    op.drop_table("breach_step")
    op.drop_table("admission")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_team_ends_at"))
        batch_op.drop_index(batch_op.f("ix_absence_member_id"))

    op.drop_table("absence")
    with op.batch_alter_table("try_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_try_link_counter"))

    op.drop_table("try_link")
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tombstone_set_no_day_row_hash"))
        batch_op.drop_index(batch_op.f("ix_tombstone_row_hash"))

    op.drop_table("tombstone")
    op.drop_table("team_roster")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_team_epoch"))

    op.drop_table("segment")
    op.drop_table("sample_draw")
    op.drop_table("restoration")
    op.drop_table("recovery_pair")
    op.drop_table("recovery_grant")
    op.drop_table("person_request")
    op.drop_table("oversight_reminder")
    op.drop_table("look_count")
    with op.batch_alter_table("linking_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_linking_decision_until"))

    op.drop_table("linking_decision")
    op.drop_table("link_grant")
    op.drop_table("house_key")
    op.drop_table("epoch_pin")
    with op.batch_alter_table("destruction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_destruction_state_proposed_at"))

    op.drop_table("destruction")
    with op.batch_alter_table("destroyed", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_destroyed_day"))

    op.drop_table("destroyed")
    op.drop_table("custodian")
    op.drop_table("checkpoint")
    with op.batch_alter_table("breach", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_breach_closed_at_found_at"))

    op.drop_table("breach")
    op.drop_table("backup")
    op.drop_table("audit_check")
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alarm_kind_about"))
        batch_op.drop_index(batch_op.f("ix_alarm_ended_at_at"))

    op.drop_table("alarm")
