"""Reviews that were open before they had risk, amount and sensitivity get them.

Without it a list would show a sensitive one to people who may not decide it. The rule is the one of reviews.urgency on
the day these columns came, written out, so that a later rule changes nothing here.
"""

from decimal import Decimal, InvalidOperation

from django.db import migrations

LOW, MEDIUM, HIGH = 1, 2, 3
AT_ONCE = 500
COLUMNS = ['risk', 'amount', 'currency', 'sensitive', 'reason_kinds']
SEVERE = {'value', 'evidence'}
MOST = Decimal(10) ** 17
EMPTY = (None, '', [], {})


def fill(apps, schema_editor):
    Review = apps.get_model('reviews', 'Review')
    Version = apps.get_model('workflows', 'Version')
    database = schema_editor.connection.alias
    versions = {}  # pk -> (fields, fields of its rules in order)
    open_ones = Review.objects.using(database).filter(state='open').select_related('item')
    # In steps by pk: what is written below must not disturb what is being read.
    last = 0
    while rows := list(open_ones.filter(pk__gt=last).order_by('pk')[:AT_ONCE]):
        for review in rows:
            pk = review.item.version_id
            if pk not in versions:
                versions[pk] = read_version(Version.objects.using(database).filter(pk=pk).first())
            for name, value in urgency(review.item, *versions[pk]).items():
                setattr(review, name, value)
        Review.objects.using(database).bulk_update(rows, COLUMNS)
        last = rows[-1].pk


def read_version(version):
    if version is None:
        return [], []
    rules = version.rules.order_by('position', 'pk').values_list('field', flat=True)
    return list(version.fields.order_by('position', 'pk')), list(rules)


def urgency(item, fields, ruled):
    values = item.values or {}
    reasons = (item.route or {}).get('reasons', [])
    filled = {field.key: money for field in fields if (money := read_money(field, values.get(field.key)))}
    by_rule = next((key for key in ruled if key in filled), None) if len(filled) > 1 else None
    money = filled[by_rule] if by_rule else filled.get('total') or next(iter(filled.values()), None)
    amount, currency = money or (None, '')
    sensitive = any(field.sensitive and values.get(field.key) not in EMPTY for field in fields)
    weighty = {field.key for field in fields if field.required or field.kind == 'money'}
    doubtful = [reason for reason in reasons if reason.get('doubtful', True)]
    severe = any(
        reason.get('kind') == 'rule' or (reason.get('kind') in SEVERE and reason.get('field') in weighty)
        for reason in doubtful
    )
    if item.state == 'escalated' or severe:
        risk = HIGH
    else:
        risk = MEDIUM if doubtful or sensitive or money else LOW
    kinds = dict.fromkeys(str(reason.get('kind', '')) for reason in reasons)
    return {
        'risk': risk, 'amount': amount, 'currency': currency, 'sensitive': sensitive,
        'reason_kinds': f"|{'|'.join(kinds)}|"[:120] if kinds else '',
    }


def read_money(field, value):
    if field.kind != 'money' or not isinstance(value, dict):
        return None
    try:
        amount = Decimal(str(value.get('amount')))
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= MOST:
        return None
    return round(amount, 2), str(value.get('currency') or '')[:10]


class Migration(migrations.Migration):

    dependencies = [
        ('reviews', '0003_review_list'),
        ('workflows', '0004_register_words_and_exports'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
