using ImageStore.Engine.Prepull;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Engine.Tests.Prepull;

/// <summary>Records of jobs on disk.</summary>
public sealed class JobFolderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("jobs-");
    private readonly JobFolder _jobs;

    public JobFolderTests()
    {
        _jobs = new JobFolder(_root.FullName, "team", TimeProvider.System);
        _jobs.Create();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_root.FullName, "jobs/team");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Save_AllThatThereIs_IsReadBack()
    {
        var job = Job("base-1") with
        {
            State = JobState.Failed,
            EndedAt = DateTimeOffset.UnixEpoch.AddHours(2),
            Reason = "why",
            Unpinned = ["docker.io/library/old:1"],
            Images =
            [
                new JobImage
                {
                    Name = "docker.io/library/alpine:latest", Priority = -3, State = JobImageState.Failed, Digest = Digest.Compute([1]), Attempts = 4, Bytes = 1L << 40,
                    StartedAt = DateTimeOffset.UnixEpoch, EndedAt = DateTimeOffset.UnixEpoch.AddHours(1), Reason = "it is not there", Remedy = "look", Kind = ErrorKind.NotFound,
                },
            ],
        };
        _jobs.Save(job);

        var read = _jobs.Find("base-1");

        Assert.Equal(job.Images[0], Assert.Single(read.Images));
        Assert.Equal(job.Unpinned, read.Unpinned);
        Assert.Equal(job with { Images = read.Images, Unpinned = read.Unpinned }, read);
    }

    [Fact]
    public async Task Find_ARunningJob_IsInterruptedOnceItsProcessIsGone()
    {
        _jobs.Save(Job("base-1"));
        using (await _jobs.LockAsync("base", Ct))
        {
            Assert.Equal(JobState.Running, _jobs.Find("base-1").State);
        }

        Assert.Equal(JobState.Interrupted, _jobs.Find("base-1").State);
    }

    [Fact]
    public async Task Lock_OfASet_IsOneProcess_AndOfAnotherSetIsFree()
    {
        using var held = await _jobs.LockAsync("base", Ct);
        Assert.NotNull(held);
        Assert.Null(await _jobs.LockAsync("base", Ct));
        using var other = await _jobs.LockAsync("base2", Ct);
        Assert.NotNull(other);
    }

    [Fact]
    public async Task Cancel_OfARunningJob_IsARequestThatLasts_AndOfADeadOneIsDoneAtOnce()
    {
        _jobs.Save(Job("base-1"));
        using (await _jobs.LockAsync("base", Ct))
        {
            Assert.Equal(JobState.Running, (await _jobs.CancelAsync("base-1", Ct)).State);
            Assert.True(_jobs.IsCancelRequested("base-1"));
        }

        Assert.Equal(JobState.Cancelled, (await _jobs.CancelAsync("base-1", Ct)).State);
        Assert.False(_jobs.IsCancelRequested("base-1"));
        Assert.Equal(JobState.Cancelled, _jobs.Find("base-1").State);
    }

    [Theory]
    [InlineData(JobState.Done)]
    [InlineData(JobState.Failed)]
    [InlineData(JobState.Cancelled)]
    public async Task Cancel_OfAJobThatHasEnded_IsRefused(JobState state)
    {
        _jobs.Save(Job("base-1") with { State = state });

        var failure = await Assert.ThrowsAsync<ImageStoreException>(() => _jobs.CancelAsync("base-1", Ct));

        Assert.Equal(ErrorKind.FailedPrecondition, failure.Kind);
        Assert.False(_jobs.IsCancelRequested("base-1"));
    }

    [Theory]
    [InlineData("base-2")]
    [InlineData("../team/base-1")]
    [InlineData("")]
    public void Find_WhatIsNoJob_IsNotFound(string id)
    {
        _jobs.Save(Job("base-1"));
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<ImageStoreException>(() => _jobs.Find(id)).Kind);
    }

    [Fact]
    public void NextId_CountsOnlyTheSetsOwn_AndByNumber()
    {
        Assert.Equal("base-1", _jobs.NextId("base"));
        foreach (var id in (string[])["base-9", "base-10", "base-x-77", "bas-40"])
        {
            _jobs.Save(Job(id));
        }

        Assert.Equal("base-11", _jobs.NextId("base"));
        Assert.Equal("base-10", _jobs.Newest("base")!.Id);
    }

    [Fact]
    public void Prune_KeepsTheNewestOfTheSet_AndAllOfOthers_AndNoPartialFile()
    {
        for (var i = 1; i <= JobFolder.MaxKept + 3; i++)
        {
            _jobs.Save(Job($"base-{i}"));
            _jobs.Save(Job($"base-x-{i}", "base-x"));
        }

        var (own, others) = (Path.Combine(Folder, ".base-3.json.0123.partial"), Path.Combine(Folder, ".base-x-3.json.0123.partial"));
        File.WriteAllText(own, string.Empty);
        File.WriteAllText(others, string.Empty);

        _jobs.Prune("base");

        var left = _jobs.List(failure => Assert.Fail(failure.Message));
        Assert.Equal(
            Enumerable.Range(5, JobFolder.MaxKept - 1).Select(i => $"base-{i}").Order(StringComparer.Ordinal), left.Where(job => job.Set == "base").Select(job => job.Id).Order(StringComparer.Ordinal));
        Assert.Equal(JobFolder.MaxKept + 3, left.Count(job => job.Set == "base-x"));
        Assert.False(File.Exists(own));
        Assert.True(File.Exists(others));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    public void List_WithADamagedRecord_TellsOfItAndHasTheOthers(string damage)
    {
        _jobs.Save(Job("base-1"));
        File.WriteAllText(Path.Combine(Folder, "base-2.json"), damage);
        List<ImageStoreException> told = [];

        Assert.Equal("base-1", Assert.Single(_jobs.List(told.Add)).Id);

        Assert.Equal(ErrorKind.CorruptData, Assert.Single(told).Kind);
        Assert.Equal("base-1", _jobs.Newest("base")!.Id);
        Assert.Equal("base-3", _jobs.NextId("base"));
    }

    [Fact]
    public void List_OfAnotherNamespace_OrOfNoRoot_IsEmpty()
    {
        _jobs.Save(Job("base-1"));
        Assert.Empty(new JobFolder(_root.FullName, "other", TimeProvider.System).List(_ => { }));
        Assert.Empty(new JobFolder(Path.Combine(_root.FullName, "none"), "team", TimeProvider.System).List(_ => { }));
    }

    private static JobRecord Job(string id, string set = "base") => new()
    {
        Id = id,
        Namespace = "team",
        Set = set,
        SetDigest = Digest.Compute([]),
        State = JobState.Running,
        ProcessId = 1,
        StartedAt = DateTimeOffset.UnixEpoch,
        Images = [],
    };
}
