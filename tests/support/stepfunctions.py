"""Step Functions and Batch, as far as it takes to compile for them and to run what Metaflow compiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envtag.util.process import Completed
from support.pods import Node, recorded_in
from support.s3 import ACCESS_KEY, SECRET_KEY, S3Server


def batch_settings(server: S3Server) -> Mapping[str, str]:
    """Make what Metaflow asks AWS for when it compiles; its settings."""
    import boto3

    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}

    def client(name: str) -> Any:
        return boto3.session.Session().client(name, endpoint_url=server.url, region_name="us-east-1", **keys)

    role = client("iam").create_role(RoleName="flows", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    subnet = client("ec2").describe_subnets()["Subnets"][0]
    group = client("ec2").describe_security_groups()["SecurityGroups"][0]
    batch = client("batch")
    place = batch.create_compute_environment(
        computeEnvironmentName="flows",
        type="MANAGED",
        state="ENABLED",
        computeResources={
            "type": "FARGATE", "maxvCpus": 4, "subnets": [subnet["SubnetId"]], "securityGroupIds": [group["GroupId"]]
        },
        serviceRole=role,
    )["computeEnvironmentArn"]  # fmt: skip
    order = [{"order": 1, "computeEnvironment": place}]
    queue = batch.create_job_queue(jobQueueName="flows", state="ENABLED", priority=1, computeEnvironmentOrder=order)
    return {
        "METAFLOW_BATCH_JOB_QUEUE": str(queue["jobQueueArn"]),
        "METAFLOW_ECS_S3_ACCESS_IAM_ROLE": role,
        "METAFLOW_ECS_FARGATE_EXECUTION_ROLE": role,
        "METAFLOW_SFN_IAM_ROLE": role,
        "METAFLOW_SFN_DYNAMO_DB_TABLE": "flows",
    }


@dataclass(slots=True, kw_only=True)
class Execution:
    """One execution of a state machine without branches.

    Attributes:
        machine: What Metaflow made, as JSON.
        node: Where its jobs run.
        name: The execution's name; the run's id is `sfn-` and this.
        ran: State to what it came to, in order.
    """

    machine: Mapping[str, Any]
    node: Node
    name: str
    ran: dict[str, Completed] = field(default_factory=dict)

    def run(self) -> None:
        """Run all states in their order."""
        state, values = self.machine["StartAt"], {"$$.Execution.Name": self.name}
        while state:
            given = self.machine["States"][state]
            overrides = given["Parameters"]["ContainerOverrides"]
            job = f"job-{self.name}-{state}"
            environ = {
                "AWS_BATCH_JOB_ID": job,
                "AWS_BATCH_JOB_ATTEMPT": "1",
                "AWS_BATCH_CE_NAME": "c",
                "AWS_BATCH_JQ_NAME": "q",
                "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            }
            environ |= {
                item["Name"]: item["Value"] if "Value" in item else values[item["Value.$"]]
                for item in overrides["Environment"]
            }
            self.ran[state] = self.node.run(f"{self.name}-{state}", overrides["Command"], environ=environ)
            values = {"$.JobId": job, "$.Parameters.['metaflow.run_id']": self.name}
            state = given.get("Next", "")

    def recorded(self, flow: str, state: str) -> dict[str, str]:
        """What the task of a state recorded of itself, field to value."""
        return recorded_in(self.node.container(f"{self.name}-{state}"), flow)
