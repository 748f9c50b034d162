using ImageStore.Store.Errors;

namespace ImageStore.Engine.Prepull;

/// <summary>The record of the job that this process works on.</summary>
/// <remarks>Once it has begun, a disk that refuses to take the record does not end the job: a later run looks at what is
/// there anyway. That is told, once.</remarks>
internal sealed class JobLedger
{
    private readonly Lock _gate = new();
    private readonly JobFolder _folder;
    private readonly Action<ImageStoreException> _warn;
    private JobRecord _job;
    private bool _told;

    /// <summary>Writes the record for the first time.</summary>
    /// <exception cref="ImageStoreException">It cannot be written.</exception>
    public JobLedger(JobFolder folder, JobRecord job, Action<ImageStoreException> warn)
    {
        (_folder, _job, _warn) = (folder, job, warn);
        folder.Save(job);
    }

    public JobRecord Job
    {
        get
        {
            lock (_gate)
            {
                return _job;
            }
        }
    }

    /// <summary>Notes what is new about an image; it is written with the next <see cref="Save"/>.</summary>
    public void Note(int index, Func<JobImage, JobImage> change)
    {
        lock (_gate)
        {
            _job = _job with { Images = [.. _job.Images.Select((image, i) => i == index ? change(image) : image)] };
        }
    }

    /// <summary>Notes what is new about the job, and writes it.</summary>
    public void Save(Func<JobRecord, JobRecord>? change = null)
    {
        lock (_gate)
        {
            _job = change is null ? _job : change(_job);
            try
            {
                _folder.Save(_job);
            }
            catch (ImageStoreException failure) when (!_told)
            {
                _told = true;
                _warn(failure);
            }
            catch (ImageStoreException)
            {
                // Told of already.
            }
        }
    }
}
