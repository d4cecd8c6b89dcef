use strict;
{% if spam_refuse_score is not none %}
# While the sending server waits for our answer, a refusal is its business: no letter of ours to a forged sender.
push @{$inet_socket_port}, 10028;
$interface_policy{'10028'} = 'REFUSING';
$policy_bank{'REFUSING'} = {
  final_virus_destiny => D_REJECT,
  final_banned_destiny => D_REJECT,
  final_unchecked_destiny => D_REJECT,
  warnbannedrecip_maps => [0],
  final_spam_destiny => D_REJECT,
  spam_kill_level_maps => [{{ spam_refuse_score }}],
};
1;
{% else %}
1;  # spam_refuse_score = None: nothing is refused before the queue
{% endif %}
