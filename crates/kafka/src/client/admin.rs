//! Administration: topics, and how brokers are configured.

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::{Client, name};
use crate::failure::{Failure, Result};

/// How long brokers may take.
const TIMEOUT: i32 = 30_000;

/// In Kafka's protocol, a broker among the kinds of things that are configured.
const BROKER: i8 = 4;

impl Client {
    /// Makes a topic. One that is there is an error.
    ///
    /// # Errors
    /// If it is not made.
    pub fn create_topic(
        &mut self,
        topic: &str,
        partitions: i32,
        replicas: i16,
        configs: &[(&str, &str)],
    ) -> Result<()> {
        let text = |text: &str| StrBytes::from_string(text.to_owned());
        let config = |(key, value): &(&str, &str)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        };
        let topic = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(replicas)
            .with_configs(configs.iter().map(config).collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(TIMEOUT);
        self.retry("making a topic", |client| {
            let controller = client.controller()?;
            let response = client.ask(controller, &request)?;
            response.topics.iter().try_for_each(|topic| {
                Failure::check(topic.error_code, || format!("topic {}", topic.name.as_str()))
            })
        })
    }

    /// Adds partitions to a topic until there are so many.
    ///
    /// # Errors
    /// If they are not made.
    pub fn grow_topic(&mut self, topic: &str, partitions: i32) -> Result<()> {
        let topics = vec![
            CreatePartitionsTopic::default()
                .with_name(name(topic))
                .with_count(partitions)
                .with_assignments(None),
        ];
        let request = CreatePartitionsRequest::default().with_topics(topics).with_timeout_ms(TIMEOUT);
        self.retry("adding partitions", |client| {
            let controller = client.controller()?;
            let response = client.ask(controller, &request)?;
            response.results.iter().try_for_each(|topic| {
                Failure::check(topic.error_code, || format!("topic {}", topic.name.as_str()))
            })
        })
    }

    /// Deletes a topic.
    ///
    /// # Errors
    /// If it is not deleted.
    pub fn delete_topic(&mut self, topic: &str) -> Result<()> {
        let request =
            DeleteTopicsRequest::default().with_topic_names(vec![name(topic)]).with_timeout_ms(TIMEOUT);
        self.retry("deleting a topic", |client| {
            let controller = client.controller()?;
            let response = client.ask(controller, &request)?;
            response
                .responses
                .iter()
                .try_for_each(|deleted| Failure::check(deleted.error_code, || format!("topic {topic}")))
        })
    }

    /// Deletes the records of a partition before an offset.
    ///
    /// # Errors
    /// If they are not deleted.
    pub fn delete_records(&mut self, topic: &str, index: i32, before: i64) -> Result<()> {
        let partitions =
            vec![DeleteRecordsPartition::default().with_partition_index(index).with_offset(before)];
        let topics = vec![DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(partitions)];
        let request = DeleteRecordsRequest::default().with_topics(topics).with_timeout_ms(TIMEOUT);
        self.retry("deleting records", |client| {
            for (leader, _) in client.leaders(&[(topic.to_owned(), index)])? {
                let response = client.ask(leader, &request)?;
                let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
                partitions.into_iter().try_for_each(|partition| {
                    Failure::check(partition.error_code, || format!("partition {topic}-{index}"))
                })?;
            }
            Ok(())
        })
    }

    /// How a broker is configured in this respect, if it says so.
    ///
    /// # Errors
    /// If it may not be asked.
    pub fn broker_config(&mut self, key: &str) -> Result<Option<String>> {
        let keys = vec![StrBytes::from_string(key.to_owned())];
        self.retry("the brokers' configuration", |client| {
            let broker = client.controller()?;
            let resource = DescribeConfigsResource::default()
                .with_resource_type(BROKER)
                .with_resource_name(StrBytes::from_string(broker.to_string()))
                .with_configuration_keys(Some(keys.clone()));
            let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
            let response = client.ask(broker, &request)?;
            let mut value = None;
            for result in response.results {
                Failure::check(result.error_code, || format!("broker {broker}"))?;
                let found = result.configs.into_iter().find(|config| config.name.as_str() == key);
                value = value.or(found.and_then(|config| config.value));
            }
            Ok(value.map(|text| text.to_string()))
        })
    }

    /// The controller, or a broker that passes requests on to it.
    fn controller(&mut self) -> Result<i32> {
        self.topics_once(Some(&[]), false)?;
        let any = self.controller.or_else(|| self.brokers.keys().copied().min());
        any.ok_or_else(|| Failure::lost("there are no brokers"))
    }
}
