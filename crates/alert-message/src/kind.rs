//! The kinds of providers.

/// What a provider is: `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names of the services")]
pub enum Kind {
    Generic,
    GenericHmac,
    GitHubDispatch,
    Nats,
    GooglePubSub,
    AzureEventHub,
    Slack,
    Discord,
    Rocket,
    MsTeams,
    GoogleChat,
    Webex,
    Telegram,
    Lark,
    Matrix,
    Zulip,
    Opsgenie,
    Alertmanager,
    Grafana,
    PagerDuty,
    DataDog,
    Sentry,
    Otel,
    GitHub,
    GitLab,
    Gitea,
    Bitbucket,
    BitbucketServer,
    AzureDevOps,
    GitHubPullRequestComment,
    GitLabMergeRequestComment,
    GiteaPullRequestComment,
}

/// What kinds of events a provider is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The event as it is.
    Forward,
    /// A message for people.
    Message,
    /// The status of a commit.
    CommitStatus,
    /// A comment at a pull or merge request.
    ChangeRequest,
}

const NAMES: [(&str, Kind); 32] = [
    ("alertmanager", Kind::Alertmanager),
    ("azuredevops", Kind::AzureDevOps),
    ("azureeventhub", Kind::AzureEventHub),
    ("bitbucket", Kind::Bitbucket),
    ("bitbucketserver", Kind::BitbucketServer),
    ("datadog", Kind::DataDog),
    ("discord", Kind::Discord),
    ("generic", Kind::Generic),
    ("generic-hmac", Kind::GenericHmac),
    ("gitea", Kind::Gitea),
    ("giteapullrequestcomment", Kind::GiteaPullRequestComment),
    ("github", Kind::GitHub),
    ("githubdispatch", Kind::GitHubDispatch),
    ("githubpullrequestcomment", Kind::GitHubPullRequestComment),
    ("gitlab", Kind::GitLab),
    ("gitlabmergerequestcomment", Kind::GitLabMergeRequestComment),
    ("googlechat", Kind::GoogleChat),
    ("googlepubsub", Kind::GooglePubSub),
    ("grafana", Kind::Grafana),
    ("lark", Kind::Lark),
    ("matrix", Kind::Matrix),
    ("msteams", Kind::MsTeams),
    ("nats", Kind::Nats),
    ("opsgenie", Kind::Opsgenie),
    ("otel", Kind::Otel),
    ("pagerduty", Kind::PagerDuty),
    ("rocket", Kind::Rocket),
    ("sentry", Kind::Sentry),
    ("slack", Kind::Slack),
    ("telegram", Kind::Telegram),
    ("webex", Kind::Webex),
    ("zulip", Kind::Zulip),
];

impl Kind {
    /// The kind with that name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The name of the kind.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Every kind, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(_, kind)| *kind)
    }

    /// What kinds of events it is told.
    pub const fn class(self) -> Class {
        match self {
            Self::Generic | Self::GenericHmac => Class::Forward,
            Self::GitHub
            | Self::GitLab
            | Self::Gitea
            | Self::Bitbucket
            | Self::BitbucketServer
            | Self::AzureDevOps => Class::CommitStatus,
            Self::GitHubPullRequestComment
            | Self::GitLabMergeRequestComment
            | Self::GiteaPullRequestComment => Class::ChangeRequest,
            Self::GitHubDispatch
            | Self::Nats
            | Self::GooglePubSub
            | Self::AzureEventHub
            | Self::Slack
            | Self::Discord
            | Self::Rocket
            | Self::MsTeams
            | Self::GoogleChat
            | Self::Webex
            | Self::Telegram
            | Self::Lark
            | Self::Matrix
            | Self::Zulip
            | Self::Opsgenie
            | Self::Alertmanager
            | Self::Grafana
            | Self::PagerDuty
            | Self::DataDog
            | Self::Sentry
            | Self::Otel => Class::Message,
        }
    }
}
